"""The door: words on the command line -> one job -> exit code.

0 done, warnings included; 1 something the user must mend; 2 wrong usage; 3 try again later.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds import __version__
from feeds.errors import FeedsError

if TYPE_CHECKING:
    from feeds.config import Config
    from feeds.core.curation.suggest import Suggestion
    from feeds.jobs.report import Report
    from feeds.jobs.tags import Change
    from feeds.model import Entry, Verdict

_CONFIG = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("config.toml"),
    show_default=True,
    envvar="FEEDS_CONFIG",
    help="The site's settings.",
)
_NOW = click.option(
    "--now", metavar="TIME", help="Act as if it were this moment, such as 2026-11-23 or 2026-11-23T08:00+09:00."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title must not end us where the terminal lacks its script
    try:
        code = commands(standalone_mode=False)
    except FeedsError as e:
        click.echo(f"error: {e}", err=True)
        code = e.exit_code
    except click.exceptions.Exit as e:
        code = e.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        code = 1
    except click.ClickException as e:
        e.show()
        code = e.exit_code
    except BrokenPipeError:  # `feeds posts | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="feeds")
def commands() -> None:
    """Turn a folder of Markdown posts into Atom feeds and newsletters."""


@commands.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--title", help="What your site is called.")
@click.option("--url", help="Where its posts are on the web.")
def init(folder: Path, title: str | None, url: str | None) -> None:
    """Make a working site to start from, in FOLDER."""
    from feeds.jobs.start import start

    for name in start(folder, title=title, url=url, now=_clock()):
        click.echo(f"wrote {folder / name}")
    click.echo(f"Now try: feeds publish --config {folder / 'config.toml'}")


@commands.command()
@_CONFIG
@_NOW
@_JSON
@click.option("--dry-run", is_flag=True, help="Say what would be written and sent; write and send nothing.")
@click.option("--feeds-only", is_flag=True, help="Neither compose nor send newsletters.")
@click.option("--yes", is_flag=True, help="Do not ask before mail leaves this machine.")
def publish(path: Path, now: str | None, *, as_json: bool, dry_run: bool, feeds_only: bool, yes: bool) -> int:  # noqa: ARG001 - nothing leaves this machine yet, so there is nothing to ask
    """Bring feeds and pages up to date; compose and send every issue that is due."""
    from feeds.jobs.publish import publish as publish_
    from feeds.jobs.report import Wish

    started = time.perf_counter()
    config = _config(path)
    with _progress(hidden=as_json) as progress:
        wish = Wish(now=_now(config, now), clock=_clock, dry_run=dry_run, feeds_only=feeds_only, progress=progress)
        report = publish_(config, wish)
    seconds = time.perf_counter() - started
    _complain(report.errors, report.warnings)
    if as_json:
        _print_json(_summary(report, seconds))
    else:
        for line in _told(config, report, seconds, dry_run=dry_run):
            click.echo(line)
    return 1 if report.errors else 0


@commands.command()
@_CONFIG
@_NOW
@_JSON
def posts(path: Path, now: str | None, *, as_json: bool) -> int:
    """Say what was understood of every file, and why a post is not public."""
    from feeds.edges.store.opening import opened
    from feeds.jobs.survey import complaints, survey

    config = _config(path)
    with (
        _progress(hidden=as_json) as progress,
        opened(config.settings.store.url, config.folder, create=False) as memory,
    ):
        found = survey(config, now=_now(config, now), known=memory.known(), progress=progress)
    errors, warnings = complaints(config, found)
    if as_json:
        entries = {entry.post.path: entry for entry in found.entries}
        for verdict in found.verdicts:
            _print_json(_understood(verdict, entries.get(verdict.path)))
    else:
        _print_table(("status", "date", "path", "title or reason"), [_row(v) for v in found.verdicts])
        click.echo(_counted(found.counts))
        _complain([], warnings)
    return 1 if errors else 0


@commands.command()
@_CONFIG
@_NOW
@_JSON
@click.option("--suggest", is_flag=True, help="Tags for posts that have none, each with its reason.")
@click.option("--fix", is_flag=True, help="Show how front matter would spell tags as they are published.")
@click.option("--write", is_flag=True, help="With --fix: change the files.")
def tags(path: Path, now: str | None, *, as_json: bool, suggest: bool, fix: bool, write: bool) -> int:
    """List tags, their spellings, posts and rule hits; suggest some; mend their spelling in the files."""
    from feeds.core.curation.tags import listed
    from feeds.jobs import tags as job

    if (suggest and fix) or (write and not fix):
        raise click.UsageError("--write goes with --fix, and --suggest with neither")
    config = _config(path)
    with _progress(hidden=as_json) as progress:
        found = job.catalogue(config, now=_now(config, now), progress=progress)
        if suggest:
            return _tell_suggestions(config, job.suggestions(config, found, progress), as_json=as_json)
    if fix:
        return _tell_changes(config, job.fixes(config, found, write=write), as_json=as_json)
    known = listed(found, config.settings)
    if as_json:
        for tag in known:
            _print_json(
                {
                    "tag": tag.tag,
                    "spellings": tag.spellings,
                    "posts": len(tag.posts),
                    "below": tag.below,
                    "rule_hits": tag.rule_hits,
                    "aliases": tag.aliases,
                    "paths": tag.posts,
                },
            )
        return 0
    rows = [
        (
            t.tag,
            str(len(t.posts)),
            str(t.rule_hits),
            ", ".join(f"{name} {number}" for name, number in t.spellings.items()),
            "; ".join(filter(None, [f"{t.below} below it" * bool(t.below), ", ".join(t.aliases)])),
        )
        for t in known
    ]
    _print_table(("tag", "posts", "rule hits", "spellings", "below it; aliases"), rows)
    return 0


def _tell_suggestions(config: "Config", found: "list[Suggestion]", *, as_json: bool) -> int:
    if config.settings.tags.suggest == "off":
        _complain([], [f'{config.path}: tags.suggest: is "off"; nothing is suggested'])
    if as_json:
        for one in found:
            _print_json(
                {"path": one.path, "tag": one.tag, "because": one.because, "posts": one.posts, "of": one.of},
            )
        return 0
    _print_table(("path", "tag", "because"), [(one.path, one.tag, _because(one)) for one in found])
    return 0


def _because(one: "Suggestion") -> str:
    words = ", ".join(f"“{word}”" for word in one.because)
    return f"because {one.posts} of {one.of} posts with {words} carry it"


def _tell_changes(config: "Config", found: "Iterator[Change]", *, as_json: bool) -> int:
    errors = []
    for change in found:
        if change.reason:
            errors.append(f"{config.settings.posts.folder.rstrip('/')}/{change.reason}")
        if as_json:
            _print_json(
                {
                    "path": change.path,
                    "written": change.written,
                    "diff": "".join(f"{line}\n" for line in change.diff),
                    "reason": change.reason,
                },
            )
        else:
            for line in change.diff:  # a pipe gets the bytes that patch(1) wants
                click.echo(_printable(line) if sys.stdout.isatty() else line)
    _complain(errors, [])
    return 1 if errors else 0


@commands.command()
@_CONFIG
@_JSON
def issues(path: Path, *, as_json: bool) -> None:
    """List the issues of every newsletter."""
    from feeds.edges.store.opening import opened

    config = _config(path)
    with opened(config.settings.store.url, config.folder, create=False) as memory:
        found = memory.issues()
    if as_json:
        for issue in found:
            _print_json(
                {
                    "newsletter": issue.newsletter,
                    "number": issue.number,
                    "slot": issue.slot.isoformat(),
                    "subject": issue.subject,
                    "posts": issue.posts,
                    "recipients": issue.recipients,
                    "sent": issue.sent,
                    "state": issue.state,
                },
            )
        return
    rows = [
        (
            i.newsletter,
            str(i.number),
            f"{i.slot:%Y-%m-%d %H:%M} UTC",
            i.state.value,
            f"{i.sent}/{i.recipients}",
            i.subject,
        )
        for i in found
    ]
    _print_table(("newsletter", "number", "slot", "state", "sent", "subject"), rows)


@commands.group()
def subscribers() -> None:
    """People: add, remove, list."""


@subscribers.command("add")
@_CONFIG
@click.argument("email")
@click.option("--newsletter", "newsletters", multiple=True, help="Which newsletter; may be given again. Default: all.")
@click.option("--lang", help="Their language, such as en or ja.")
@click.option("--again", is_flag=True, help="Bring somebody back who has left; only when they asked for it.")
def add_subscriber(path: Path, email: str, newsletters: tuple[str, ...], lang: str | None, *, again: bool) -> None:
    """Make EMAIL an active reader."""
    from feeds.jobs import subscribe

    found = subscribe.add(_config(path), email, newsletters, lang=lang, now=_clock(), again=again)
    click.echo(f"{found.email} is {found.status}: {', '.join(found.newsletters)}")


@subscribers.command("remove")
@_CONFIG
@click.argument("email")
def remove_subscriber(path: Path, email: str) -> None:
    """Write down that EMAIL has left; no more letters go there."""
    from feeds.jobs import subscribe

    known = subscribe.remove(_config(path), email, _clock())
    click.echo(f"{email} gets no more letters" if known else f"{email} was not subscribed")


@subscribers.command("list")
@_CONFIG
@_JSON
def list_subscribers(path: Path, *, as_json: bool) -> None:
    """List people and how they stand."""
    from feeds.jobs import subscribe

    found = subscribe.everybody(_config(path))
    if as_json:
        for s in found:
            _print_json(
                {
                    "email": s.email,
                    "status": s.status,
                    "lang": s.lang,
                    "newsletters": s.newsletters,
                    "consent": s.consent,
                },
            )
        return
    rows = [(s.email, s.status, s.lang or "", ", ".join(s.newsletters)) for s in found]
    _print_table(("email", "status", "language", "newsletters"), rows)


@commands.command()
@_CONFIG
def run(path: Path) -> None:
    """Publish on a schedule until SIGTERM."""
    from feeds.jobs.run import run as run_

    def tell(line: str) -> None:
        click.echo(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {line}")

    run_(path, dict(os.environ), tell)


# Reading words ----------------------------------------------------------------------------------------------------


def _clock() -> datetime:
    return datetime.now(UTC)


def _config(path: Path) -> "Config":
    from feeds.config import load

    return load(path, os.environ)


def _now(config: "Config", text: str | None) -> datetime:
    """Return the moment that --now names, in the site's zone, or the real one."""
    from feeds.core.posts.dates import parse

    if text is None:
        return _clock()
    try:
        return parse(text, config.settings.site.timezone)
    except ValueError as e:
        raise click.BadParameter(str(e), param_hint="--now") from e


# Telling ----------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Hold a progress bar open where a person watches; elsewhere nothing is shown."""
    if hidden or not sys.stderr.isatty():
        yield lambda _what, _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done)

        yield progress


def _complain(errors: list[str], warnings: list[str]) -> None:
    for line in warnings:
        click.echo(f"{click.style('warning', fg='yellow')}: {_printable(line)}", err=True)
    for line in errors:
        click.echo(f"{click.style('error', fg='red')}: {_printable(line)}", err=True)


def _printable(line: str) -> str:
    """Return *line* without what a terminal would obey: post and file names are anybody's."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _print_json(found: dict[str, Any]) -> None:
    click.echo(json.dumps(found, ensure_ascii=False))


def _print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table for a person, tab-separated lines for a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(map(_printable, row)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    Console().print(table)


def _counted(counts: dict[str, int]) -> str:
    return "posts: " + ", ".join(
        f"{number} {status}" for status, number in counts.items() if number or status == "public"
    )


def _told(config: "Config", report: "Report", seconds: float, *, dry_run: bool) -> Iterator[str]:
    """Yield what a pass did, for people."""
    folder = config.settings.feeds.folder.rstrip("/")
    yield _counted(report.counts)
    would = "would be written" if dry_run else "written"
    yield f"feeds and pages: {len(report.written)} {would}, {report.unchanged} unchanged, in {folder}/"
    shown = report.written if dry_run else report.written[:_MOST_LINES]
    yield from (f"  {folder}/{name}" for name in shown)
    if len(shown) < len(report.written):
        yield f"  and {len(report.written) - len(shown)} more"
    for issue in report.issues:
        to = f"{issue.posts} posts to {issue.recipients} recipients"
        where = "would be sent" if dry_run else f"{issue.state}, in outbox/{issue.newsletter}/{issue.number}/"
        yield f"{issue.newsletter} {issue.number}: {to}, {where}"
    yield f"{seconds:.2f} s" + (" (dry run: nothing was written or sent)" if dry_run else "")


#: How many written files are named.
_MOST_LINES = 12


def _summary(report: "Report", seconds: float) -> dict[str, Any]:
    return {
        "posts": report.counts,
        "feeds": {"written": len(report.written), "unchanged": report.unchanged},
        "issues": [
            {
                "newsletter": issue.newsletter,
                "number": issue.number,
                "posts": issue.posts,
                "recipients": issue.recipients,
                "state": issue.state,
            }
            for issue in report.issues
        ],
        "seconds": round(seconds, 3),
    }


def _understood(verdict: "Verdict", entry: "Entry | None") -> dict[str, Any]:
    post = verdict.post
    found: dict[str, Any] = {
        "path": verdict.path,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "duplicate_of": verdict.duplicate_of,
        "id": entry.id if entry else post and post.own_id,
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
        "excerpt": post.excerpt,
        "reading_minutes": post.reading_minutes,
        "warnings": list(post.warnings),
    }


#: What is known of a file that could not be read: the same fields, empty.
_UNREAD: dict[str, Any] = {
    **dict.fromkeys(("url", "title", "published", "updated", "lang")),
    **{name: [] for name in ("authors", "categories", "tags")},
    **dict.fromkeys(("excerpt", "reading_minutes")),
    "warnings": [],
}


def _row(verdict: "Verdict") -> tuple[str, ...]:
    post = verdict.post
    date = f"{post.published:%Y-%m-%d}" if post else ""
    return (verdict.status.value, date, verdict.path, verdict.reason or (post.title if post else ""))
