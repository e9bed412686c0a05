"""Where sentences end, in any script.

A sentence ends behind its full stop and the closing marks after it, never inside brackets or quotation marks, and
for the ASCII full stop only before white space and something that can begin a sentence.
"""

import re

#: Ends a sentence wherever it stands: CJK, Arabic, Devanagari, Armenian.
_ENDS = "。！？｡︒؟۔।॥։"
#: Ends a sentence when white space follows.
_ENDS_BEFORE_SPACE = ".!?…"
_OPEN = "「『（(［[｛{〈《【〔“«"
_CLOSE = "」』）)］]｝}〉》】〕”»"
#: May follow the full stop and still belong to the sentence: closing marks, emphasis, combining marks, a footnote.
_TAIL = re.compile(
    r"(?:[\u0300-\u036f\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff」』）)］\]｝}〉》】〕”»\"'’*_~`]|\[\^[^\]\s]+\])*"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|cf|al|bzw|ca|Nr|Inc|Ltd|Co|Fig|Vol|approx)\.$",
)
#: With what must stand before it.
_LONGEST_ABBREVIATION = 10
_SPACE = re.compile(r"\s*")
_CANDIDATE = re.compile(rf"[{_ENDS}{re.escape(_ENDS_BEFORE_SPACE)}{re.escape(_OPEN + _CLOSE)}]")


def split(text: str) -> list[str]:
    """Return the sentences of one paragraph; joined they are *text* again."""
    found, start, depth, at = [], 0, 0, 0
    while mark := _CANDIDATE.search(text, at):
        at = mark.end()
        if mark[0] in _OPEN:
            depth += 1
        elif mark[0] in _CLOSE:
            depth = max(0, depth - 1)
        elif not depth:
            end = _end(text, mark)
            if end and end < len(text):
                found.append(text[start:end])
                start = at = end
    return [*found, text[start:]] if text[start:] else found


def _end(text: str, mark: re.Match[str]) -> int | None:
    """Return where the sentence that *mark* closes ends, white space included; None if it does not close one."""
    at = mark.end()
    while at < len(text) and text[at] in _ENDS + _ENDS_BEFORE_SPACE:
        at += 1
    tail = _TAIL.match(text, at)
    at = tail.end() if tail else at
    space = _SPACE.match(text, at)
    end = space.end() if space else at
    if mark[0] in _ENDS_BEFORE_SPACE:
        before = text[max(0, mark.end() - _LONGEST_ABBREVIATION) : mark.end()]
        if end == at or text[end : end + 1].islower() or (mark[0] == "." and _ABBREVIATION.search(before)):
            return None
    return end


def is_whole(sentence: str) -> bool:
    """Return whether *sentence* ends as a sentence or heading-like line does, not in the middle."""
    bare = _TAIL.sub("", sentence.strip()[::-1], count=1)[::-1] if sentence.strip() else ""
    return bool(bare) and bare[-1] in _ENDS + _ENDS_BEFORE_SPACE + ":：;；"
