"""Removing passages that are repeated inside one post.

Machine-drafted posts contain several drafts of one text, one below the other, often with a line such as `---END---`
between them. Each draft repeats the one before, with paragraphs extended by a few sentences, split or joined. Some
drafts break off in the middle of a sentence and continue after the separator with `...`. Readers should get each
sentence once, in its place.

The post is split into units (`feeds.core.posts.units`). The drafts are merged into the first one, in order: a known
sentence is removed, a new one is inserted after the known one that it follows. Before that, cut sentences are repaired:
joined with the continuation after the separator, where the two overlap, or removed if the whole sentence is elsewhere.

Authors also repeat passages on purpose: summaries, pull quotes, report forms, refrains, calls to action. So inside one
draft, and in a post without separators, a passage is removed only if it directly follows itself (pasted twice), or if
the post consists of paragraphs only and long repeated runs are a fifth of it. Without a separator both copies must
also begin a paragraph, with the same wide line. A post without such passages is returned unchanged.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, takewhile

from feeds.core.posts import sentences
from feeds.core.posts.text import display_width
from feeds.core.posts.units import (
    FIRST_LINE,
    Unit,
    comparison_key,
    join_units,
    joins_without_space,
    prose_lines,
    split_units,
)

#: A line that a drafting program has written: `---END---`, `=== END OF DRAFT 2 ===`.
_SEPARATOR = re.compile(
    r"[ \t]*([-=~])\1{2,}[ \t]*(?:END|EOF|BREAK|STOP|DRAFT|CONTINUED?)(?: OF [A-Z]+)?(?: \d+)?[ \t]*\1{3,}[ \t]*",
)
_AFTER_MARK = re.compile(r"[-=~ \t]*(?:END|EOF|BREAK|STOP|DRAFT|CONTINUE)")
#: Prose does not begin with these: lists, quotations, tables, pictures, elements and template tags.
_NOT_PROSE = ("- ", "* ", "+ ", "> ", "|", "![", "<", "{")
#: How a draft continues one that was cut off.
_ELLIPSIS = re.compile(r"^\s*(?:\.{3,}|…+|・{3,})\s*")
#: A narrower line without a full stop is a caption or a name, not a cut sentence.
_CAPTION_WIDTH = 30
#: A run whose sentences are all narrower than this is a refrain.
_REFRAIN_WIDTH = 30
#: The width of a repeated run (wide characters count twice) that makes it a passage; a narrower one is a refrain.
_PASSAGE_WIDTH = 160
#: The same for a run that directly follows itself in a post without separators.
_STUTTER_WIDTH = 60
#: Without a separator: the share of repeated passages in a post that shows that they are drafts.
_DRAFTED_SHARE = 0.2
#: A shorter overlap may be chance, unless a separator is between the two halves of the sentence.
_MIN_OVERLAP = 3
#: Longer than any sentence that was cut.
_MAX_OVERLAP = 1000
#: Earlier copies of a sentence that are compared; a line that occurs thousands of times is not a passage.
_MAX_COPIES = 50
#: About 35,000 words; comparing a longer text with itself would take seconds.
_MOST_CHARACTERS = 200_000
#: Earlier drafts in which a cut sentence is looked for.
_MAX_DRAFTS_BACK = 50
#: What is left after a round may repeat itself again, but less each time; real posts need fewer rounds.
_MAX_ROUNDS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """The text of a post with each passage once."""

    markdown: str
    #: What was removed: repeated sentences, separators, cut sentences. If empty, the text is unchanged.
    dropped: tuple[str, ...] = ()


def merge_passages(markdown: str) -> Merged:
    """Return *markdown* without repeated passages and separators, cut sentences repaired; unchanged if it has none.

    A text that is longer than any draft is unchanged too.
    """
    if len(markdown) > _MOST_CHARACTERS or not may_repeat(markdown):
        return Merged(markdown=markdown)
    return merge_thoroughly(markdown)


def merge_thoroughly(markdown: str) -> Merged:
    """Return the same as `merge_passages`, without its quick check; this takes a millisecond."""
    drafts, separators = _split_drafts(markdown.split("\n"))
    has_drafts = sum(map(bool, drafts)) > 1
    merger = _Merger()
    if has_drafts:
        _repair_joints(drafts, merger)
        _drop_cut_sentences(drafts, merger)
    for draft in drafts:
        merger.merge(merger.drop_runs(draft, has_drafts=has_drafts))
    units = merger.drop_runs(merger.units, has_drafts=has_drafts)
    if not merger.dropped and not separators:
        return Merged(markdown=markdown)
    return Merged(markdown=join_units(units), dropped=(*separators, *merger.dropped))


def may_repeat(markdown: str) -> bool:
    """Return whether *markdown* may have anything to merge.

    This is called for every post, and False for nearly all, so it is a few calls of C functions. True may be a false
    alarm. False is certain: without a separator, no two paragraphs begin with the same wide line
    (`_begin_alike`).
    """
    for mark in ("---", "===", "~~~"):
        if mark in markdown and any(_AFTER_MARK.match(part) for part in markdown.split(mark)[1:]):
            return True
    starts = [line.lstrip()[:FIRST_LINE] for line in markdown.split("\n") if len(line) >= _STUTTER_WIDTH // 2]
    if len(set(starts)) == len(starts):
        return False
    return any(number > 1 and _may_begin_passage(start) for start, number in Counter(starts).items())


def _may_begin_passage(line: str) -> bool:
    """Return whether a paragraph of prose can begin with *line*: it is wide and not of another block."""
    return not line.startswith(_NOT_PROSE) and display_width(line) >= _STUTTER_WIDTH


def _split_drafts(lines: list[str]) -> tuple[list[list[Unit]], list[str]]:
    """Return the units between separators, and the separators."""
    prose = prose_lines(lines)
    separators = [n for n, line in enumerate(lines) if n in prose and _SEPARATOR.fullmatch(line)]
    drafts = []
    for start, end in zip([0, *(n + 1 for n in separators)], [*separators, len(lines)], strict=True):
        units = split_units("\n".join(lines[start:end]))
        if start and units and units[0].kind == "sentence" and _ELLIPSIS.match(units[0].text):
            units[0].resumes = True
        drafts.append(units)
    return drafts, [lines[n].strip() for n in separators]


# Merging drafts ---------------------------------------------------------------------------------------------------


class _KnownUnits:
    """The units of earlier drafts, with their neighbours.

    A sentence is the same wherever it is. Short sentences, headings and blocks may be repeated on purpose (an answer to
    the next question, a heading of the next part), so they are the same only beside the same neighbour, and one unit of
    the text equals one unit of a draft.
    """

    def __init__(self) -> None:
        self._units: dict[str, list[Unit]] = {}
        self._by_neighbour: dict[tuple[str, str], list[Unit]] = {}

    def add(self, unit: Unit) -> None:
        """Add a unit that was not known before."""
        self._units.setdefault(unit.key, []).append(unit)

    def add_neighbours(self, draft: list[Unit]) -> None:
        """Record the neighbours in a draft whose units are those of the text."""
        for left, right in zip([None, *draft], draft, strict=False):
            self._by_neighbour.setdefault(_after_key(left, right), []).append(right)
            if left:
                self._by_neighbour.setdefault(_before_key(left, right), []).append(left)

    def find_repeated(self, draft: list[Unit]) -> list[Unit | None]:
        """Return for each unit of a draft the known unit that it repeats; None for a new one."""
        counts = Counter(unit.key for unit in draft)
        candidates = _Candidates(self._by_neighbour)
        repeated: list[Unit | None] = []
        for left, unit, right in zip([None, *draft], draft, [*draft[1:], None], strict=False):
            same = self._units.get(unit.key, [])
            is_only = len(same) == 1 and (
                not unit.needs_neighbour or (unit.kind == "heading" and counts[unit.key] == 1)
            )
            known = same[0] if is_only else candidates.take(left, unit, right) if same else None
            repeated.append(known or (same[0] if same and not unit.needs_neighbour else None))
        return repeated


def _after_key(left: Unit | None, right: Unit) -> tuple[str, str]:
    return (left.key if left else "", ">" + right.key)


def _before_key(left: Unit, right: Unit) -> tuple[str, str]:
    return ("<" + left.key, right.key)


class _Candidates:
    """Known units by their neighbours; each can be taken once."""

    def __init__(self, by_neighbour: dict[tuple[str, str], list[Unit]]) -> None:
        self._by_neighbour = by_neighbour
        self._remaining: dict[tuple[str, str], Iterator[Unit]] = {}
        self._taken: set[int] = set()

    def take(self, left: Unit | None, unit: Unit, right: Unit | None) -> Unit | None:
        """Return a unit equal to *unit* that follows one equal to *left*, or precedes one equal to *right*."""
        return self._next(_after_key(left, unit)) or (self._next(_before_key(unit, right)) if right else None)

    def _next(self, key: tuple[str, str]) -> Unit | None:
        remaining = self._remaining.setdefault(key, iter(self._by_neighbour.get(key, ())))
        unit = next((unit for unit in remaining if id(unit) not in self._taken), None)
        if unit:
            self._taken.add(id(unit))
        return unit


@dataclass(slots=True)
class _Merger:
    """The merged text so far, and what was removed from it."""

    units: list[Unit] = field(default_factory=list)
    known: _KnownUnits = field(default_factory=_KnownUnits)
    dropped: list[str] = field(default_factory=list)

    def merge(self, draft: list[Unit]) -> None:
        """Add a draft: drop its known units, insert each new one after the known one that it follows.

        New units at the beginning of a draft go before its first known unit, or to the end if it has none.
        """
        repeated = self.known.find_repeated(draft)
        first = next((known for known in repeated if known is not None), None)
        at = len(self.units) if first is None else self._find(first, 0)
        for n, (unit, known) in enumerate(zip(draft, repeated, strict=True)):
            if known is not None:
                self.dropped.append(unit.text)
                at = self._find(known, at) + 1
            else:
                self._insert(unit, at, draft[n + 1 : n + 2])
                self.known.add(unit)
                at += 1
        self.known.add_neighbours([known or unit for unit, known in zip(draft, repeated, strict=True)])

    def _find(self, unit: Unit, near: int) -> int:
        """Return the index of *unit*, which is usually at *near* or after it: drafts have the same order."""
        return next(n for n in chain(range(near, len(self.units)), range(near)) if self.units[n] is unit)

    def drop_runs(self, units: list[Unit], *, has_drafts: bool) -> list[Unit]:
        """Return *units* without passages that are repeated among them."""
        for _ in range(_MAX_ROUNDS):
            units, dropped = _drop_runs(units, has_drafts=has_drafts)
            self.dropped += [unit.text for unit in dropped]
            if not dropped:
                break
        return units

    def _insert(self, unit: Unit, at: int, following: list[Unit]) -> None:
        """Insert *unit* at an index; the paragraph that it begins or divides is divided as in its draft."""
        if at and self.units[at - 1].kind != "sentence":
            unit.opens = True
        if at < len(self.units) and (unit.opens or at == 0):
            is_same = following and following[0].key == self.units[at].key
            begins = self.units[at].opens and at > 0
            self.units[at].opens = begins or not is_same or following[0].opens
        self.units.insert(at, unit)


# Cut sentences ----------------------------------------------------------------------------------------------------


def _repair_joints(drafts: list[list[Unit]], merger: _Merger) -> None:
    """Join each sentence that is cut off before a separator with its continuation after one."""
    for n, draft in enumerate(drafts):
        if not (draft and draft[0].resumes):
            continue
        rest = _ELLIPSIS.sub("", draft[0].text)
        if not rest:
            merger.dropped.append(draft.pop(0).text)
            continue
        first = max(0, n - _MAX_DRAFTS_BACK)
        at, joined = _join_with_cut(drafts[first:n], rest)
        if joined is None:
            merger.dropped.append(draft.pop(0).text)
            continue
        draft[0] = Unit("sentence", joined, opens=draft[0].opens)
        if at is not None:
            at += first
            cut = drafts[at][-1]
            merger.dropped.append(cut.text)
            # The joined sentence belongs where the cut one was: in its paragraph, after the sentence before it.
            drafts[at].pop()
            draft[0].opens = cut.opens
            if drafts[at]:
                draft.insert(0, Unit("sentence", drafts[at][-1].text, opens=drafts[at][-1].opens))


def _join_with_cut(earlier: list[list[Unit]], rest: str) -> tuple[int | None, str | None]:
    """Return the index of the draft whose last sentence *rest* continues, and the two joined at their overlap.

    A sentence cut off right before the separator is joined in any case, one in an earlier draft only if the overlap is
    long enough. The index is None if no such sentence is left; then the text is *rest*, or None if *rest* is the end of
    a whole sentence elsewhere. So a sentence that begins with `...` on purpose only loses the dots.
    """
    for n in reversed(range(len(earlier))):
        cut = earlier[n][-1] if earlier[n] else None
        if cut and cut.kind == "sentence" and not sentences.is_whole_sentence(cut.text):
            overlap = _overlap(cut.text, rest)
            if overlap >= _MIN_OVERLAP or n == len(earlier) - 1:
                space = " " if not overlap and not joins_without_space(cut.text, rest) else ""
                return n, cut.text + space + rest[overlap:]
    key = comparison_key(rest)
    if any(u.key.endswith(key) for draft in earlier for u in draft if u.kind == "sentence"):
        return None, None
    return None, rest


def _overlap(cut: str, rest: str) -> int:
    """Return the number of characters at the end of *cut* that *rest* begins with."""
    return next((n for n in range(min(len(cut), len(rest), _MAX_OVERLAP), 0, -1) if cut.endswith(rest[:n])), 0)


def _drop_cut_sentences(drafts: list[list[Unit]], merger: _Merger) -> None:
    """Drop each cut sentence that is a whole one elsewhere."""
    keys = sorted({u.key for draft in drafts for u in draft if u.kind == "sentence"})
    for draft in drafts:
        for n in reversed(range(len(draft))):
            unit = draft[n]
            if not _is_cut(unit, draft[n + 1 : n + 2]):
                continue
            longer = bisect_right(keys, unit.key)  # keys that begin with a text are sorted right after it
            if longer < len(keys) and keys[longer].startswith(unit.key):
                merger.dropped.append(unit.text)
                if n + 1 < len(draft) and not draft[n + 1].opens:
                    draft[n + 1].opens = unit.opens
                del draft[n]


def _is_cut(unit: Unit, following: list[Unit]) -> bool:
    """Return whether a sentence is cut off: it ends its paragraph without a full stop.

    Unless the draft ends with it, a sentence in bold or of a few words is rather a heading, a name or a caption.
    """
    if unit.kind != "sentence" or sentences.is_whole_sentence(unit.text):
        return False
    if not following:
        return True
    is_bold = unit.text.startswith(("**", "__")) and unit.text.endswith(("**", "__"))
    return following[0].opens and not is_bold and display_width(unit.text) >= _CAPTION_WIDTH


# Inside one draft -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences that occurred before in the same order."""

    start: int
    end: int
    #: Whether it directly follows its earlier copy.
    stutters: bool


def _drop_runs(units: list[Unit], *, has_drafts: bool) -> tuple[list[Unit], list[Unit]]:
    """Return *units* without the runs that were pasted twice or left from a draft, and the units in those."""
    runs = list(_repeated_runs(units, has_drafts=has_drafts))
    stutter_width = _REFRAIN_WIDTH if has_drafts else _STUTTER_WIDTH
    passage_width = _PASSAGE_WIDTH if _repeats_much(units, runs) else None
    kept, dropped, at = [], [], 0
    for run in runs:
        widths = [display_width(unit.text) for unit in units[run.start : run.end]]
        min_width = stutter_width if run.stutters else passage_width
        if min_width is None or sum(widths) < min_width or max(widths) < _REFRAIN_WIDTH:
            continue
        kept += units[at : run.start]
        dropped += units[run.start : run.end]
        at = run.end
        if at < len(units) and units[run.start].opens and not units[at].opens:
            units[at].opens, units[at].line = True, _first_line(units, at)
    return kept + units[at:], dropped


def _first_line(units: list[Unit], at: int) -> str:
    """Return the first line of a paragraph that now begins with the sentence at *at*."""
    rest = takewhile(lambda unit: not unit.opens, units[at + 1 : at + FIRST_LINE])
    return join_units([units[at], *rest]).partition("\n")[0][:FIRST_LINE]


def _repeats_much(units: list[Unit], runs: list[_Run]) -> bool:
    """Return whether all units are sentences and so many are repeated that the author cannot have intended it."""
    if not runs or any(unit.kind != "sentence" for unit in units):
        return False
    return sum(_width(units[run.start : run.end]) for run in runs) >= _DRAFTED_SHARE * _width(units)


def _width(units: list[Unit]) -> int:
    return sum(display_width(unit.text) for unit in units)


def _repeated_runs(units: list[Unit], *, has_drafts: bool) -> Iterator[_Run]:
    """Yield the longest repeated runs, in order, without overlaps.

    Without separators a run counts only if it and its earlier copy begin a paragraph.
    """
    places: dict[str, list[int]] = {}
    if len({unit.key for unit in units}) == len(units):
        return
    n = 0
    while n < len(units):
        earlier = places.get(units[n].key, []) if units[n].kind == "sentence" else []
        lengths = {
            first: _common_length(units, first, n)
            for first in earlier[-_MAX_COPIES:]
            if has_drafts or _begin_alike(units[first], units[n])
        }
        first = max(lengths, key=lambda f: (lengths[f], f), default=None)
        end = n + (1 if first is None else lengths[first])
        if first is not None:
            yield _Run(n, end, stutters=any(f + length >= n for f, length in lengths.items() if n + length == end))
        for i in range(n, end):
            if units[i].kind == "sentence":
                places.setdefault(units[i].key, []).append(i)
        n = end


def _begin_alike(first: Unit, second: Unit) -> bool:
    """Return whether both begin a paragraph of prose with the same wide line; `may_repeat` relies on this."""
    return first.opens and second.opens and first.line == second.line != "" and _may_begin_passage(first.line)


def _common_length(units: list[Unit], first: int, second: int) -> int:
    """Return how many sentences are the same from *first* and from *second* on; the two runs do not overlap."""
    limit = min(second - first, len(units) - second)
    pairs = ((units[first + i], units[second + i]) for i in range(limit))
    return next((i for i, (a, b) in enumerate(pairs) if not a.kind == b.kind == "sentence" or a.key != b.key), limit)
