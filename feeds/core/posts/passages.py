"""Passages that stand twice inside one post.

Machine-drafted posts hold several drafts of one text, one below the other, often with a line such as `---END---`
between them. Each draft repeats what was there, and paragraphs come back grown by a few sentences, split or joined;
some drafts break off in mid-sentence and go on after the line with `...`. What a reader should get is each sentence
once, in the place where it belongs.

How it works. The post becomes a list of *units*: a prose paragraph gives one unit a sentence, a heading is one, and
every other block (code, quotation, table, list, verse, HTML) is one that is never compared by sentence. Drafts are
merged into the first one after the other: a sentence that is known goes; one that is new goes right behind the known
one that it follows. Cut sentences are mended first: with the continuation behind the separator, where the two overlap,
or by leaving them out where their whole form stands elsewhere.

Real prose repeats itself on purpose: summaries, pull quotes, report forms, refrains, calls to action. So inside one
draft, and in a post without separators, a passage goes only where it stands directly behind itself (a paste gone
wrong), or where a post of nothing but paragraphs repeats a fifth of itself in long runs. Without a separator it must
also begin a paragraph with the same wide line both times. A post in which nothing is found comes back byte for byte.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import Literal

from feeds.core.posts import sentences
from feeds.core.posts.text import display_width, parse_html

#: A line that a drafting program left: `---END---`, `=== END OF DRAFT 2 ===`.
_SEPARATOR = re.compile(
    r"[ \t]*([-=~])\1{2,}[ \t]*(?:END|EOF|BREAK|STOP|DRAFT|CONTINUED?)(?: OF [A-Z]+)?(?: \d+)?[ \t]*\1{3,}[ \t]*",
)
_AFTER_MARK = re.compile(r"[-=~ \t]*(?:END|EOF|BREAK|STOP|DRAFT|CONTINUE)")
#: No prose begins with these: lists, quotations, tables, pictures, elements and template tags.
_NO_PROSE = ("- ", "* ", "+ ", "> ", "|", "![", "<", "{")
#: The definition of a link or footnote: a second one like it says nothing.
_DEFINITION = re.compile(r" {0,3}\[[^\]\s]+\]:")
#: The definition of a footnote.
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]+\]:", re.MULTILINE)
#: How a draft that was cut off is taken up again.
_ELLIPSIS = re.compile(r"^\s*(?:\.{3,}|…+|・{3,})\s*")
#: A sentence narrower than this says nothing without the one beside it.
_ANSWER_WIDTH = 16
#: What is narrower and without a full stop was not cut off.
_LEGEND_WIDTH = 30
#: Wrapped prose has wider lines than this.
_VERSE_WIDTH = 50
#: A run of sentences that are all narrower than this is a refrain.
_REFRAIN_WIDTH = 30
#: A repeated run this long (wide characters count twice) is a passage, a shorter one a refrain.
_PASSAGE_WIDTH = 160
#: The same for a run that stands directly behind itself, unless a separator tells of drafts.
_STUTTER_WIDTH = 60
#: Without a separator: so many characters of its first line must be the same wherever a passage stands.
_FIRST_LINE = 60
#: Without a separator: the share of a post that repeated passages must have to be a draft's and not the author's.
_DRAFTED_SHARE = 0.2
#: The shortest overlap that is no chance, when the halves of a sentence do not stand on both sides of a separator.
_OVERLAP = 3
#: Longer than any sentence that was cut.
_LONGEST_OVERLAP = 1000
#: How many earlier places of one sentence are looked at: a line that stands thousands of times is no passage.
_MOST_PLACES = 50

#: What is left may repeat itself again, if less and less; nobody writes what takes more rounds.
_MOST_ROUNDS = 20

_Kind = Literal["sentence", "heading", "block"]


@dataclass(slots=True)
class _Unit:
    """A sentence, a heading, or a block that is left as it is."""

    kind: _Kind
    #: As written, without white space around it.
    text: str
    #: Begins a paragraph of its own.
    opens: bool
    #: The line that the paragraph begins with, as far as lines are compared; of the first sentence only.
    line: str = ""
    #: Goes on with what was cut off before the separator.
    resumes: bool = False
    key: str = ""

    @property
    def needs_neighbour(self) -> bool:
        """Whether this may come again on purpose: what is no sentence, or one such as `Yes.`; no link or footnote."""
        if self.kind == "block":
            return not _DEFINITION.match(self.text)
        return self.kind != "sentence" or (len(self.text) < _ANSWER_WIDTH and display_width(self.text) < _ANSWER_WIDTH)

    def __post_init__(self) -> None:
        self.key = _key(self.text) if self.kind != "block" else self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """A post's text with each passage once."""

    markdown: str
    #: What was left out: repeated sentences, separators, cut sentences. Empty: nothing was changed.
    dropped: tuple[str, ...] = ()


def merge_passages(markdown: str) -> Merged:
    """Return *markdown* without repeated passages and separators, joints mended; the same string if there are none."""
    return merge_thoroughly(markdown) if may_repeat(markdown) else Merged(markdown=markdown)


def merge_thoroughly(markdown: str) -> Merged:
    """Return what `merge` does, without asking first whether there is anything to find; that takes a millisecond."""
    drafts, separators = _drafts(markdown.split("\n"))
    drafted = sum(map(bool, drafts)) > 1
    work = _Work()
    if drafted:
        _mend_joints(drafts, work)
        _leave_out_cut(drafts, work)
    for draft in drafts:
        work.merge(work.once(draft, drafted=drafted))
    text = work.once(work.text, drafted=drafted)
    if not work.dropped and not separators:
        return Merged(markdown=markdown)
    return Merged(markdown=_written(text), dropped=(*separators, *work.dropped))


def may_repeat(markdown: str) -> bool:
    """Return whether a closer look could find anything.

    Every post is asked this, and nearly all answer no, so it is a few calls of C functions. It may say yes in vain; it
    must never say no where something is to be found: a separator, or a passage, which begins two paragraphs with the
    same wide line (`_begins_alike`).
    """
    for mark in ("---", "===", "~~~"):
        if mark in markdown and any(_AFTER_MARK.match(part) for part in markdown.split(mark)[1:]):
            return True
    begun = [line.lstrip()[:_FIRST_LINE] for line in markdown.split("\n") if len(line) >= _STUTTER_WIDTH // 2]
    if len(set(begun)) == len(begun):
        return False
    return any(number > 1 and _may_begin_passage(line) for line, number in Counter(begun).items())


def _may_begin_passage(line: str) -> bool:
    """Return whether a paragraph of prose can begin with *line*: it is wide and no other block's."""
    return not line.startswith(_NO_PROSE) and display_width(line) >= _STUTTER_WIDTH


def _key(text: str) -> str:
    """Return *text* as sentences are compared: NFKC, without emphasis marks and white space.

    White space goes as a whole because a line break in Japanese source is not a space.
    """
    plain = re.sub(r"^#+|[*\s]+|__+|~~+", "", unicodedata.normalize("NFKC", text))
    return plain or text


# Taking apart -----------------------------------------------------------------------------------------------------


def _drafts(lines: list[str]) -> tuple[list[list[_Unit]], list[str]]:
    """Return the units between separators, and the separators."""
    prose = _prose_lines(lines)
    separators = [n for n, line in enumerate(lines) if n in prose and _SEPARATOR.fullmatch(line)]
    found = []
    for start, end in zip([0, *(n + 1 for n in separators)], [*separators, len(lines)], strict=True):
        units = _units("\n".join(lines[start:end]))
        if start and units and units[0].kind == "sentence" and _ELLIPSIS.match(units[0].text):
            units[0].resumes = True
        found.append(units)
    return found, [lines[n].strip() for n in separators]


def _prose_lines(lines: list[str]) -> set[int]:
    """Return the numbers (from 0) of lines in paragraphs, rules and headings; not in code, lists or quotations."""
    return {
        n
        for kind, first, last in _blocks("\n".join(lines))
        if kind in {"p", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
        for n in range(first, last)
    }


def _blocks(markdown: str) -> list[tuple[str, int, int]]:
    """Return each top-level block as (element, first line, line behind the last), lines counted from 0.

    comrak says where each block stands; raw HTML and link definitions leave gaps, which are blocks of their own. It is
    not told of footnotes: where two drafts define the same, comrak 0.0.16 puts everything between into a list.
    """
    from comrak import ExtensionOptions, RenderOptions, render_markdown  # noqa: PLC0415 - few posts get here

    extensions, rendering = ExtensionOptions(), RenderOptions()
    extensions.table = True
    rendering.sourcepos = True
    root = parse_html(str(render_markdown(markdown, extensions, None, rendering)))
    found = []
    for element in root:
        if isinstance(element.tag, str) and (place := element.get("data-sourcepos")):
            first, last = (int(part.split(":")[0]) for part in place.split("-"))
            found.append((element.tag, first - 1, last))
    return sorted(found, key=lambda block: block[1])


def _units(markdown: str) -> list[_Unit]:
    lines, found, at = markdown.split("\n"), [], 0
    for kind, first, last in [*_blocks(markdown), ("", len(lines), len(lines))]:
        if first < at:
            continue
        found += _opaque(lines[at:first])
        text = "\n".join(lines[first:last])
        if kind == "p" and not _FOOTNOTE.search(text) and not _is_verse(text):
            parts = [part.strip() for part in sentences.split_sentences(text) if part.strip()]
            begun = lines[first].lstrip()[:_FIRST_LINE]
            found += [_Unit("sentence", part, opens=not n, line="" if n else begun) for n, part in enumerate(parts)]
        elif kind[:1] == "h" and kind != "hr":
            found.append(_Unit("heading", text.strip(), opens=True))
        else:
            found += _opaque(lines[first:last])
        at = last
    return found


def _opaque(lines: list[str]) -> list[_Unit]:
    text = "\n".join(lines).strip("\n")
    return [_Unit("block", text, opens=True)] if text.strip() else []


def _is_verse(text: str) -> bool:
    """Return whether a paragraph's line breaks are somebody's decision: verse, an address, a list without marks.

    They are where they are hard, and where narrow lines end without a full stop; prose that was wrapped has wide ones.
    """
    lines = text.split("\n")[:-1]
    if any(line.endswith(("  ", "\\")) for line in lines):
        return True
    unfinished = sum(not sentences.is_whole_sentence(line) for line in lines)
    return 2 * unfinished > len(lines) and all(display_width(line) < _VERSE_WIDTH for line in lines)


# Merging drafts ---------------------------------------------------------------------------------------------------


class _Earlier:
    """What earlier drafts hold, and beside what.

    A sentence is the same wherever it stands. What is short, a heading or a block may come again on purpose: an answer
    to the next question, a heading of the next part. It is the same only beside the same neighbour, and one of the
    text is the same as one of a draft.
    """

    def __init__(self) -> None:
        self._units: dict[str, list[_Unit]] = {}
        self._beside: dict[tuple[str, str], list[_Unit]] = {}

    def add(self, unit: _Unit) -> None:
        """Note one that was not there before."""
        self._units.setdefault(unit.key, []).append(unit)

    def add_neighbours(self, draft: list[_Unit]) -> None:
        """Note what stands beside what in a draft, whose units are those of the text."""
        for left, right in zip([None, *draft], draft, strict=False):
            self._beside.setdefault(_behind(left, right), []).append(right)
            if left:
                self._beside.setdefault(_before(left, right), []).append(left)

    def repeated_by(self, draft: list[_Unit]) -> list[_Unit | None]:
        """Return for each unit of a draft the one that it repeats; None for what is new."""
        numbers = Counter(unit.key for unit in draft)
        offers = _Offers(self._beside)
        found: list[_Unit | None] = []
        for left, unit, right in zip([None, *draft], draft, [*draft[1:], None], strict=False):
            same = self._units.get(unit.key, [])
            only = len(same) == 1 and (not unit.needs_neighbour or (unit.kind == "heading" and numbers[unit.key] == 1))
            known = same[0] if only else offers.take(left, unit, right) if same else None
            found.append(known or (same[0] if same and not unit.needs_neighbour else None))
        return found


def _behind(left: _Unit | None, right: _Unit) -> tuple[str, str]:
    return (left.key if left else "", ">" + right.key)


def _before(left: _Unit, right: _Unit) -> tuple[str, str]:
    return ("<" + left.key, right.key)


class _Offers:
    """Units by their neighbours, each to be had once."""

    def __init__(self, beside: dict[tuple[str, str], list[_Unit]]) -> None:
        self._beside = beside
        self._left: dict[tuple[str, str], Iterator[_Unit]] = {}
        self._taken: set[int] = set()

    def take(self, left: _Unit | None, unit: _Unit, right: _Unit | None) -> _Unit | None:
        """Return one like *unit* that stands behind such a one as *left*, or before such a one as *right*."""
        return self._next(_behind(left, unit)) or (self._next(_before(unit, right)) if right else None)

    def _next(self, place: tuple[str, str]) -> _Unit | None:
        left = self._left.setdefault(place, iter(self._beside.get(place, ())))
        unit = next((unit for unit in left if id(unit) not in self._taken), None)
        if unit:
            self._taken.add(id(unit))
        return unit


@dataclass(slots=True)
class _Work:
    """The text so far, and what was left out of it."""

    text: list[_Unit] = field(default_factory=list)
    earlier: _Earlier = field(default_factory=_Earlier)
    dropped: list[str] = field(default_factory=list)

    def merge(self, draft: list[_Unit]) -> None:
        """Add a draft: known sentences go, a new one goes right behind the known one that it follows.

        What a draft begins with follows nothing; it goes before the first known one behind it, or to the end.
        """
        found = self.earlier.repeated_by(draft)
        first = next((known for known in found if known is not None), None)
        at = len(self.text) if first is None else self._place(first, 0)
        for n, (unit, known) in enumerate(zip(draft, found, strict=True)):
            if known is not None:
                self.dropped.append(unit.text)
                at = self._place(known, at) + 1
            else:
                self._insert(unit, at, draft[n + 1 : n + 2])
                self.earlier.add(unit)
                at += 1
        self.earlier.add_neighbours([known or unit for unit, known in zip(draft, found, strict=True)])

    def _place(self, unit: _Unit, near: int) -> int:
        """Return where *unit* stands; drafts follow one another's order, so it is mostly at *near* or behind."""
        return next(n for n in chain(range(near, len(self.text)), range(near)) if self.text[n] is unit)

    def once(self, units: list[_Unit], *, drafted: bool) -> list[_Unit]:
        """Return *units* without passages that stand twice among them."""
        for _ in range(_MOST_ROUNDS):
            units, dropped = _without_runs(units, drafted=drafted)
            self.dropped += [unit.text for unit in dropped]
            if not dropped:
                break
        return units

    def _insert(self, unit: _Unit, at: int, following: list[_Unit]) -> None:
        """Put *unit* at a place; the paragraph it begins or divides stays divided as its draft has it."""
        if at and self.text[at - 1].kind != "sentence":
            unit.opens = True
        if at < len(self.text) and (unit.opens or at == 0):
            same = following and following[0].key == self.text[at].key
            begins = self.text[at].opens and at > 0
            self.text[at].opens = begins or not same or following[0].opens
        self.text.insert(at, unit)


# Mending joints ---------------------------------------------------------------------------------------------------


def _mend_joints(drafts: list[list[_Unit]], work: _Work) -> None:
    """Join what breaks off before a separator with what resumes behind it."""
    for n, draft in enumerate(drafts):
        if not (draft and draft[0].resumes):
            continue
        head = _ELLIPSIS.sub("", draft[0].text)
        if not head:
            work.dropped.append(draft.pop(0).text)
            continue
        at, joined = _joined(drafts[:n], head)
        if joined is None:
            work.dropped.append(draft.pop(0).text)
            continue
        draft[0] = _Unit("sentence", joined, opens=draft[0].opens)
        if at is not None:
            torn = drafts[at][-1]
            work.dropped.append(torn.text)
            # What resumes belongs to the torn sentence's paragraph and place: behind what stood before it.
            drafts[at].pop()
            draft[0].opens = torn.opens
            if drafts[at]:
                draft.insert(0, _Unit("sentence", drafts[at][-1].text, opens=drafts[at][-1].opens))


def _joined(earlier: list[list[_Unit]], head: str) -> tuple[int | None, str | None]:
    """Return the draft whose last sentence *head* goes on with, and the two joined at their overlap.

    What breaks off right before the separator is joined in any case, further up only where the overlap is no chance.
    The draft is None when the joint was mended before; the text is None when *head* is the tail of a sentence that
    stands whole elsewhere. A sentence that begins with `...` on purpose comes back as it is, without the dots.
    """
    for n in reversed(range(len(earlier))):
        torn = earlier[n][-1] if earlier[n] else None
        if torn and torn.kind == "sentence" and not sentences.is_whole_sentence(torn.text):
            overlap = _overlap(torn.text, head)
            if overlap >= _OVERLAP or n == len(earlier) - 1:
                space = " " if not overlap and not _wide_joint(torn.text, head) else ""
                return n, torn.text + space + head[overlap:]
    key = _key(head)
    if any(u.key.endswith(key) for draft in earlier for u in draft if u.kind == "sentence"):
        return None, None
    return None, head


def _overlap(torn: str, head: str) -> int:
    """Return how many characters *torn* ends with that *head* begins with."""
    return next((n for n in range(min(len(torn), len(head), _LONGEST_OVERLAP), 0, -1) if torn.endswith(head[:n])), 0)


def _leave_out_cut(drafts: list[list[_Unit]], work: _Work) -> None:
    """Leave out cut sentences whose whole form stands elsewhere."""
    whole = sorted({u.key for draft in drafts for u in draft if u.kind == "sentence"})
    for draft in drafts:
        for n in reversed(range(len(draft))):
            unit = draft[n]
            if not _is_cut(unit, draft[n + 1 : n + 2]):
                continue
            longer = bisect_right(whole, unit.key)  # what begins with a text stands right behind it
            if longer < len(whole) and whole[longer].startswith(unit.key):
                work.dropped.append(unit.text)
                if n + 1 < len(draft) and not draft[n + 1].opens:
                    draft[n + 1].opens = unit.opens
                del draft[n]


def _is_cut(unit: _Unit, following: list[_Unit]) -> bool:
    """Return whether a sentence breaks off: it ends its paragraph without a full stop.

    What is in bold or only a few words is rather a heading, a name, a picture's legend, unless the draft ends with it.
    """
    if unit.kind != "sentence" or sentences.is_whole_sentence(unit.text):
        return False
    if not following:
        return True
    bold = unit.text.startswith(("**", "__")) and unit.text.endswith(("**", "__"))
    return following[0].opens and not bold and display_width(unit.text) >= _LEGEND_WIDTH


# Inside one draft -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    """Sentences that stood earlier in the same order."""

    at: int
    end: int
    #: Stands directly behind itself.
    stutters: bool


def _without_runs(units: list[_Unit], *, drafted: bool) -> tuple[list[_Unit], list[_Unit]]:
    """Return *units* without the runs that a paste gone wrong or a draft has left, and what was in those."""
    runs = list(_repeated_runs(units, drafted=drafted))
    stutter = _REFRAIN_WIDTH if drafted else _STUTTER_WIDTH
    passage = _PASSAGE_WIDTH if _repeats_much(units, runs) else None
    kept, dropped, at = [], [], 0
    for run in runs:
        widths = [display_width(unit.text) for unit in units[run.at : run.end]]
        least = stutter if run.stutters else passage
        if least is None or sum(widths) < least or max(widths) < _REFRAIN_WIDTH:
            continue
        kept += units[at : run.at]
        dropped += units[run.at : run.end]
        at = run.end
        if at < len(units) and units[run.at].opens and not units[at].opens:
            units[at].opens, units[at].line = True, _first_line(units, at)
    return kept + units[at:], dropped


def _first_line(units: list[_Unit], at: int) -> str:
    """Return the line that a paragraph begins with when its sentences before *at* are gone."""
    rest = takewhile(lambda unit: not unit.opens, units[at + 1 : at + _FIRST_LINE])
    return _written([units[at], *rest]).partition("\n")[0][:_FIRST_LINE]


def _repeats_much(units: list[_Unit], runs: list[_Run]) -> bool:
    """Return whether so much of nothing but paragraphs is there twice that no author can have meant it."""
    if not runs or any(unit.kind != "sentence" for unit in units):
        return False
    return sum(_width(units[run.at : run.end]) for run in runs) >= _DRAFTED_SHARE * _width(units)


def _width(units: list[_Unit]) -> int:
    return sum(display_width(unit.text) for unit in units)


def _repeated_runs(units: list[_Unit], *, drafted: bool) -> Iterator[_Run]:
    """Yield the longest repeated runs, in order; they do not overlap.

    Without separators a run counts only where it begins a paragraph, and began one before.
    """
    places: dict[str, list[int]] = {}
    if len({unit.key for unit in units}) == len(units):
        return
    n = 0
    while n < len(units):
        earlier = places.get(units[n].key, []) if units[n].kind == "sentence" else []
        lengths = {
            first: _common(units, first, n)
            for first in earlier[-_MOST_PLACES:]
            if drafted or _begins_alike(units[first], units[n])
        }
        first = max(lengths, key=lambda f: (lengths[f], f), default=None)
        end = n + (1 if first is None else lengths[first])
        if first is not None:
            yield _Run(n, end, stutters=any(f + length >= n for f, length in lengths.items() if n + length == end))
        for i in range(n, end):
            if units[i].kind == "sentence":
                places.setdefault(units[i].key, []).append(i)
        n = end


def _begins_alike(first: _Unit, second: _Unit) -> bool:
    """Return whether both begin a paragraph of prose with the same line; `is_suspicious` relies on this."""
    return first.opens and second.opens and first.line == second.line != "" and _may_begin_passage(first.line)


def _common(units: list[_Unit], first: int, second: int) -> int:
    """Return how many sentences from *first* and from *second* on are the same; the two runs do not overlap."""
    most = min(second - first, len(units) - second)
    pairs = ((units[first + i], units[second + i]) for i in range(most))
    return next((i for i, (a, b) in enumerate(pairs) if not a.kind == b.kind == "sentence" or a.key != b.key), most)


# Writing ----------------------------------------------------------------------------------------------------------


def _written(units: list[_Unit]) -> str:
    """Return Markdown: a blank line between paragraphs, and between sentences what their script wants."""
    out = ""
    for unit in units:
        if not out:
            out = unit.text
        elif unit.opens:
            out += "\n\n" + unit.text
        else:
            out += ("" if _wide_joint(out, unit.text) else " ") + unit.text
    return out + "\n" if out else ""


def _wide_joint(left: str, right: str) -> bool:
    return unicodedata.east_asian_width(left[-1]) in "WF" or unicodedata.east_asian_width(right[0]) in "WF"
