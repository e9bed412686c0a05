"""Splitting text into sentences, in any script.

A sentence ends after its full stop and the closing marks that follow, never inside brackets or quotation marks. An
ASCII full stop ends it only before white space and a character that can begin a sentence.
"""

import re

#: Always ends a sentence: CJK, Arabic, Devanagari, Armenian.
_ENDS = "。！？｡︒؟۔।॥։"
#: Ends a sentence when white space follows.
_ENDS_BEFORE_SPACE = ".!?…"
_OPEN = "「『（(［[｛{〈《【〔“«„"
_CLOSE = "」』）)］]｝}〉》】〕”»“"
#: Open brackets that are searched for the partner of a closing one.
_MAX_OPEN = 20
#: Belongs to the sentence although it follows the full stop: closing marks, emphasis, combining marks, a footnote.
_TAIL = re.compile(
    r"(?:[\u0300-\u036f\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff」』）)］\]｝}〉》】〕”»\"'’*_~`]|\[\^[^\]\s]{1,60}\])*"
)
_CLOSING = "」』）)］]｝}〉》】〕”»\"'’*_~`“ "
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|cf|al|bzw|ca|Nr|Inc|Ltd|Co|Fig|Vol|approx)\.$",
)
#: Including the character before it.
_LONGEST_ABBREVIATION = 10
_SPACE = re.compile(r"\s*")
_CANDIDATE = re.compile(rf"[{_ENDS}{re.escape(_ENDS_BEFORE_SPACE)}]+|[{re.escape(_OPEN + _CLOSE)}]")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph, white space included: joined they are *text* again."""
    found, start, enclosed = [], 0, 0
    marks = list(_CANDIDATE.finditer(text))
    ends = _bracket_ends(marks)
    for n, mark in enumerate(marks):
        enclosed = max(enclosed, ends.get(n, 0))
        if mark.start() >= max(start, enclosed) and mark[0] not in _OPEN + _CLOSE:
            end = _sentence_end(text, mark)
            if end and end < len(text):
                found.append(text[start:end])
                start = end
    return [*found, text[start:]] if text[start:] else found


def _bracket_ends(marks: list[re.Match[str]]) -> dict[int, int]:
    """Return number of an opening mark -> end of its closing mark; a mark without a partner, as in `:(`, is missing."""
    found: dict[int, int] = {}
    still_open: list[int] = []
    for n, mark in enumerate(marks):
        if mark[0] == "“" and still_open and marks[still_open[-1]][0] == "„":  # German closes with it
            found[still_open.pop()] = mark.end()
        elif mark[0] in _OPEN:
            still_open.append(n)
        elif mark[0] in _CLOSE:
            wanted = _OPEN[_CLOSE.index(mark[0])]
            while still_open and wanted in (marks[m][0] for m in still_open[-_MAX_OPEN:]):
                opened = still_open.pop()
                if marks[opened][0] == wanted:
                    found[opened] = mark.end()
                    break
    return found


def _sentence_end(text: str, mark: re.Match[str]) -> int | None:
    """Return the end of the sentence that *mark* ends, white space included; None if *mark* does not end one."""
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
    """Return whether *sentence* ends with a full stop, a colon or a semicolon, closing marks aside."""
    bare, before = sentence.strip(), ""
    while bare != before:
        before = bare
        bare = re.sub(r"\[\^[^\]\s]{1,60}\]$", "", bare).rstrip(_CLOSING)
    return bare.endswith(tuple(_ENDS + _ENDS_BEFORE_SPACE + ":：;；"))
