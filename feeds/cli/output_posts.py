"""Format posts, duplicates, tags and diagnostics."""

from __future__ import annotations

import sys

from feeds.cli.output import escape_controls, print_json
from feeds.display import format_count, format_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo
    from typing import Any

    from feeds.core.curation.adoption import Adoption
    from feeds.core.curation.suggest import Suggestion
    from feeds.core.curation.tags import Tag
    from feeds.core.newsletters.lint import Diagnostic
    from feeds.jobs.posts.tags import TagChange
    from feeds.jobs.store.adopt_ids import AdoptionReport
    from feeds.model import DuplicatePair, Entry, EntryVersion, Post, PostOutcome, Text


def post_to_dict(outcome: PostOutcome, entry: Entry | None, text: Text | None) -> dict[str, Any]:
    """Return one post file for programs; *entry* and *text* are None if it is not public or not rendered."""
    post = outcome.post
    found: dict[str, Any] = {
        "path": outcome.path,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "duplicate_of": outcome.duplicate_of,
        "id": entry.id if entry else post and post.declared_id,
    }
    if post is None:
        return found | _UNREAD
    return found | {
        "url": post.url,
        "title": post.title,
        "published": post.published.isoformat(),
        "updated": post.updated.isoformat() if post.updated else None,
        "lang": post.lang,
        "authors": [author.name for author in post.authors],
        "categories": [topic.label for topic in entry.categories] if entry else list(post.categories),
        "tags": list(entry.tags if entry else post.tags),
        "excerpt": text.excerpt if text else None,
        "reading_minutes": text.reading_minutes if text else None,
        "warnings": [*post.warnings, *(_text_warnings(post, text) if text else ())],
    }


def _text_warnings(post: Post, text: Text) -> Iterator[str]:
    yield from text.warnings
    if text.page_problem:
        yield f"{post.path}: its text is not found in its page ({text.page_problem}); the Markdown is rendered instead"


#: The fields of a file that could not be read: the same names, empty.
_UNREAD: dict[str, Any] = {
    **dict.fromkeys(("url", "title", "published", "updated", "lang")),
    **{name: [] for name in ("authors", "categories", "tags")},
    **dict.fromkeys(("excerpt", "reading_minutes")),
    "warnings": [],
}


def newest_first(outcomes: Iterable[PostOutcome]) -> list[PostOutcome]:
    """Return posts in the order of a table: files that could not be read, then the newest posts."""
    by_path = sorted(outcomes, key=lambda outcome: outcome.path)
    return sorted(by_path, key=lambda outcome: -outcome.post.published.timestamp() if outcome.post else float("-inf"))


def post_row(outcome: PostOutcome) -> tuple[str, ...]:
    """Return one post file as a row of a table."""
    post = outcome.post
    if post is None:
        return (outcome.status.value, "", outcome.path, outcome.reason, "")
    return (outcome.status.value, f"{post.published:%Y-%m-%d}", outcome.path, outcome.reason or post.title, post.url)


def entry_version_to_dict(identity: str, state: EntryVersion) -> dict[str, Any]:
    """Return one version of an entry for programs."""
    return {
        "id": identity,
        "since": state.since.isoformat(),
        "path": state.path,
        "title": state.title,
        "text": state.text_digest,
    }


def entry_version_row(state: EntryVersion, zone: tzinfo) -> tuple[str, ...]:
    """Return one version of an entry as a row of a table, with its time in the site's zone."""
    return (format_time(state.since, zone), state.path, state.title or "", state.text_digest[:8])


# Duplicates -------------------------------------------------------------------------------------------------------


def duplicate_to_dict(found: DuplicatePair) -> dict[str, Any]:
    """Return a pair of similar posts for programs."""
    return {
        "path": found.post.path,
        "other": found.kept.path,
        "kind": found.kind.value,
        "similarity": round(found.similarity, 4),
        "dropped": found.dropped,
        "reason": found.reason,
    }


def duplicate_row(found: DuplicatePair) -> tuple[str, ...]:
    """Return a pair of similar posts as a row of a table."""
    percent = f"{int(found.similarity * 100)} %"
    return (found.kind.value, percent, "dropped" if found.dropped else "stays", found.post.path, found.kept.path)


def format_pair_counts(found: Sequence[DuplicatePair]) -> str:
    """Return a line that counts pairs."""
    dropped = sum(pair.dropped for pair in found)
    return f"{format_count(len(found), 'pair')}: {dropped} dropped, {len(found) - dropped} only reported"


def print_side_by_side(left: str, right: str, lines: Iterable[tuple[str, str, bool]]) -> None:
    """Print two texts side by side, paragraph by paragraph, with the differences marked."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(Column(Text(left)), "", Column(Text(right)), expand=True, header_style="bold")
    for one, other, same in lines:
        style = "dim" if same else ""
        table.add_row(Text(escape_controls(one), style), "" if same else "≠", Text(escape_controls(other), style))
    Console().print(table)


# Tags -------------------------------------------------------------------------------------------------------------


def tag_to_dict(found: Tag) -> dict[str, Any]:
    """Return a tag for programs."""
    return {
        "tag": found.tag,
        "spellings": found.spellings,
        "posts": len(found.posts),
        "below": found.below,
        "rule_hits": found.rule_hits,
        "aliases": found.aliases,
        "paths": found.posts,
    }


def tag_row(found: Tag) -> tuple[str, ...]:
    """Return a tag as a row of a table."""
    return (
        found.tag,
        str(len(found.posts)),
        str(found.rule_hits),
        ", ".join(f"{name} {number}" for name, number in found.spellings.items()),
        "; ".join(filter(None, [f"{found.below} below it" * bool(found.below), ", ".join(found.aliases)])),
    )


def suggestion_to_dict(one: Suggestion) -> dict[str, Any]:
    """Return a suggested tag for programs."""
    return {"path": one.path, "tag": one.tag, "because": one.because, "posts": one.posts, "of": one.of}


def suggestion_row(one: Suggestion) -> tuple[str, ...]:
    """Return a suggested tag and its reason as a row of a table."""
    words = ", ".join(f"“{word}”" for word in one.because)
    return (one.path, one.tag, f"because {one.posts} of {format_count(one.of, 'post')} with {words} carry it")


def print_tag_changes(folder: str, found: Iterable[TagChange], *, as_json: bool) -> list[str]:
    """Print changes to front matter as diffs or JSON; return the errors, a line each."""
    errors = []
    for change in found:
        if change.reason:
            errors.append(f"{folder}/{change.reason}")
        if as_json:
            diff = "".join(f"{line}\n" for line in change.diff)
            print_json({"path": change.path, "written": change.written, "diff": diff, "reason": change.reason})
        else:
            for line in change.diff:  # escaped for a terminal only: patch(1) needs the bytes as they are
                print(escape_controls(line) if sys.stdout.isatty() else line)
    return errors


# Diagnostics ----------------------------------------------------------------------------------------------------------


def diagnostic_to_dict(found: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic of `feeds check` for programs."""
    return {"level": found.level, "where": found.where, "what": found.what, "why": found.why, "do": found.do}


def diagnostic_row(found: Diagnostic) -> tuple[str, ...]:
    """Return a diagnostic as a row of a table."""
    return (found.level, found.where, f"{found.what}: {found.why}" if found.why else found.what, found.do)


# Ids of another program's feed ------------------------------------------------------------------------------------


def adoption_to_dict(adoption: Adoption) -> dict[str, Any]:
    """Return an entry of another program's feed for programs."""
    entry = adoption.entry
    return {
        "id": entry.id,
        "status": adoption.status.value,
        "path": adoption.post and adoption.post.path,
        "by": adoption.by,
        "present_id": adoption.present_id,
        "reason": adoption.reason,
        "url": entry.links[0] if entry.links else None,
        "title": entry.title,
        "published": entry.published.isoformat() if entry.published else None,
        "updated": entry.updated.isoformat() if entry.updated else None,
    }


def adoption_row(adoption: Adoption) -> tuple[str, ...]:
    """Return the cells of an entry of another program's feed."""
    path = adoption.post.path if adoption.post else ""
    return (adoption.status.value, adoption.entry.id, path, adoption.reason or adoption.by)


def without_id(adoptions: Sequence[Adoption]) -> list[Adoption]:
    """Return the entries whose id is not kept, which a person has to look at."""
    return [adoption for adoption in adoptions if adoption.reason]


def format_adoptions(report: AdoptionReport, *, dry_run: bool) -> str:
    """Return a line that counts entries by their results."""
    from feeds.core.curation.adoption import AdoptionStatus

    matched = [adoption for adoption in report.adoptions if adoption.status is AdoptionStatus.MATCHED]
    by_link = sum(adoption.by == "link" for adoption in matched)
    how = f": {by_link:,} by link, {len(matched) - by_link:,} by title and date" if matched else ""
    line = f"{format_count(len(matched), 'id')} {'would be adopted' if dry_run else 'adopted'}{how}"
    others = {
        "known before": AdoptionStatus.KEPT,
        "published with another id": AdoptionStatus.PUBLISHED,
        "ambiguous": AdoptionStatus.AMBIGUOUS,
        "unmatched": AdoptionStatus.UNMATCHED,
    }
    counts = [f"{number:,} {name}" for name, status in others.items() if (number := report.count(status))]
    return "; ".join([line, *counts])
