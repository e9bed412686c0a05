"""Where sentences end, in any script.

A sentence ends behind its full stop and the closing marks after it, never inside brackets or quotation marks, and
for the ASCII full stop only before white space and something that can begin a sentence.
"""

import re

#: Ends a sentence wherever it stands: CJK, Arabic, Devanagari, Armenian.
_ENDS = "。！？｡︒؟۔।॥։"
#: Ends a sentence when white space follows.
_ENDS_BEFORE_SPACE = ".!?…"
_OPEN = "「『（(［[｛{〈《【〔“«„"
_CLOSE = "」』）)］]｝}〉》】〕”»“"
#: How many open brackets are looked through for a partner.
_DEEPEST = 20
#: May follow the full stop and still belong to the sentence: closing marks, emphasis, combining marks, a footnote.
_TAIL = re.compile(
    r"(?:[\u0300-\u036f\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff」』）)］\]｝}〉》】〕”»\"'’*_~`]|\[\^[^\]\s]+\])*"
)
_CLOSING = "」』）)］]｝}〉》】〕”»\"'’*_~`“ "
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|cf|al|bzw|ca|Nr|Inc|Ltd|Co|Fig|Vol|approx)\.$",
)
#: With what must stand before it.
_LONGEST_ABBREVIATION = 10
_SPACE = re.compile(r"\s*")
_CANDIDATE = re.compile(rf"[{_ENDS}{re.escape(_ENDS_BEFORE_SPACE)}]+|[{re.escape(_OPEN + _CLOSE)}]")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph; joined they are *text* again."""
    found, start, inside = [], 0, 0
    marks = list(_CANDIDATE.finditer(text))
    partners = _partners(marks)
    for n, mark in enumerate(marks):
        inside = max(inside, partners.get(n, 0))
        if mark.start() >= max(start, inside) and mark[0] not in _OPEN + _CLOSE:
            end = _end(text, mark)
            if end and end < len(text):
                found.append(text[start:end])
                start = end
    return [*found, text[start:]] if text[start:] else found


def _partners(marks: list[re.Match[str]]) -> dict[int, int]:
    """Return where what each opening mark encloses ends; marks without a partner, such as in `:(`, enclose nothing."""
    found: dict[int, int] = {}
    still_open: list[int] = []
    for n, mark in enumerate(marks):
        if mark[0] == "“" and still_open and marks[still_open[-1]][0] == "„":  # German closes with what English opens
            found[still_open.pop()] = mark.end()
        elif mark[0] in _OPEN:
            still_open.append(n)
        elif mark[0] in _CLOSE:
            wanted = _OPEN[_CLOSE.index(mark[0])]
            while still_open and wanted in (marks[m][0] for m in still_open[-_DEEPEST:]):
                opened = still_open.pop()
                if marks[opened][0] == wanted:
                    found[opened] = mark.end()
                    break
    return found


def _end(text: str, mark: re.Match[str]) -> int | None:
    """Return where the sentence that *mark* closes ends, white space included; None if it does not close one."""
    tail = _TAIL.match(text, mark.end())
    at = tail.end() if tail else mark.end()
    space = _SPACE.match(text, at)
    end = space.end() if space else at
    if not set(mark[0]) & set(_ENDS):
        before = text[max(0, mark.end() - _LONGEST_ABBREVIATION) : mark.end()]
        if end == at or text[end : end + 1].islower() or (mark[0] == "." and _ABBREVIATION.search(before)):
            return None
    return end


def is_whole_sentence(sentence: str) -> bool:
    """Return whether *sentence* ends as a sentence or heading-like line does, not in the middle."""
    bare, before = sentence.strip(), ""
    while bare != before:
        before = bare
        bare = re.sub(r"\[\^[^\]\s]{1,60}\]$", "", bare).rstrip(_CLOSING)
    return bare.endswith(tuple(_ENDS + _ENDS_BEFORE_SPACE + ":：;；"))
