"""The words of the command line, each a job to do."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds import __version__
from feeds.cli import bounces, corrections, output, status, store, subscribers
from feeds.cli.options import CONFIG as _CONFIG
from feeds.cli.options import JSON as _JSON
from feeds.cli.options import NOW as _NOW
from feeds.cli.options import YES as _YES
from feeds.cli.options import confirm_prompt as _ask
from feeds.cli.options import parse_now as _now
from feeds.cli.options import read_config as _config
from feeds.cli.options import show_progress as _progress
from feeds.cli.options import utc_now as _clock
from feeds.errors import FeedsError

if TYPE_CHECKING:
    from feeds.config import Config
    from feeds.edges.process.workers import Workers
    from feeds.edges.store.database import Store
    from feeds.jobs.posts.survey import Survey
    from feeds.jobs.run import Event

_NO_CACHE = click.option("--no-cache", is_flag=True, help="Read every post anew and keep nothing of it.")


def run() -> int:
    """Do what the command line says and return the exit code."""
    try:
        return commands(standalone_mode=False) or 0
    except FeedsError as e:
        click.echo(f"error: {e}", err=True)
        return e.exit_code
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        return 1
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except BrokenPipeError:  # `feeds posts | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


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
    from feeds.jobs.init import create_site

    for name in create_site(folder, title=title, url=url, now=_clock()):
        click.echo(f"wrote {folder / name}")
    click.echo(f"Now try: feeds publish --config {folder / 'config.toml'}")


@commands.command()
@_CONFIG
@_NOW
@_JSON
@click.option("--dry-run", is_flag=True, help="Say what would be written and sent; write and send nothing.")
@click.option("--feeds-only", is_flag=True, help="Neither compose nor send newsletters.")
@_NO_CACHE
@_YES
def publish(
    path: Path, now: str | None, *, as_json: bool, dry_run: bool, feeds_only: bool, no_cache: bool, yes: bool
) -> int:
    """Bring feeds and pages up to date; compose and send every issue that is due."""
    from feeds.cli import fast_path
    from feeds.jobs.publish import publish as publish_
    from feeds.jobs.report import PublishOptions, truncate_warnings

    started = time.perf_counter()
    before = fast_path.capture_environment(path)
    config = _config(path)
    with _progress(hidden=as_json) as progress:
        wish = PublishOptions(
            now=_now(config, now),
            clock=_clock,
            dry_run=dry_run,
            feeds_only=feeds_only,
            use_cache=not no_cache,
            yes=yes,
            ask=_ask(),
            progress=progress,
            seen=fast_path.last_scan.get(str(config.resolve(config.settings.posts.folder))),
        )
        report = publish_(config, wish)
    fast_path.remember_state(config, report, before, now=wish.now, words=now)
    output.print_diagnostics([*report.errors, *report.alerts], [*truncate_warnings(report.warnings), *report.later])
    seconds = time.perf_counter() - started
    if as_json:
        output.print_json(output.report_to_dict(report) | {"seconds": round(seconds, 3)})
    else:
        for line in output.format_report(config, report, dry_run=dry_run):
            click.echo(line)
        click.echo(f"{seconds:.2f} s" + (" (dry run: nothing was written or sent)" if dry_run else ""))
    return report.exit_code


@commands.command()
@_CONFIG
@_JSON
@click.argument("feed", metavar="PATH")
@click.option("--undo", is_flag=True, help="Bring it back.")
def retire(path: Path, feed: str, *, as_json: bool, undo: bool) -> int:
    """End the feed in the folder PATH, such as category/notes, or one document of it, such as tag/old/rss.xml.

    Its files go, and servers are told that they are gone for good. Feeds are brought up to date on the way.
    """
    from feeds.jobs.feeds import retire as job
    from feeds.jobs.report import PublishOptions

    config = _config(path)
    with _progress(hidden=as_json) as progress:
        wish = PublishOptions(now=_clock(), clock=_clock, feeds_only=True, progress=progress)
        report = job.unretire_feed(config, feed, wish) if undo else job.retire_feed(config, feed, wish)
    return output.print_report(config, report, as_json=as_json)


@commands.command()
@_CONFIG
@_NOW
@_JSON
@_NO_CACHE
@click.option("--history", metavar="PATH", help="What the entry of this post was before, and where it lay.")
def posts(path: Path, now: str | None, *, as_json: bool, no_cache: bool, history: str | None) -> int:
    """Say what was understood of every file, and why a post is not public."""
    config = _config(path)
    if history is not None:
        return _history(config, history, as_json=as_json)
    with _surveyed(config, now, quiet=as_json, use_cache=not no_cache) as (found, team, progress, _):
        texts = found.texts(team, progress) if as_json else {}
    verdicts = found.catalogue.outcomes
    entries = {entry.post.path: entry for entry in found.catalogue.entries}
    for verdict in verdicts if as_json else ():
        output.print_json(output.post_to_dict(verdict, entries.get(verdict.path), texts.get(verdict.path)))
    errors, warnings = found.diagnostics()
    if not as_json:
        output.print_table(("status", "date", "path", "title or reason"), [output.post_row(v) for v in verdicts])
        click.echo(output.format_post_counts(found.catalogue.counts))
        output.print_diagnostics([], warnings)
    output.print_diagnostics([], found.warnings)
    return 1 if errors else 0


def _history(config: "Config", path: str, *, as_json: bool) -> int:
    from feeds.jobs.store import ids

    found = ids.entry_history(config, path)
    for identity, states in found.items():
        if not as_json:
            click.echo(identity)
        head = ("since", "path", "title", "text")
        output.print_records(
            states, partial(output.entry_version_to_dict, identity), head, output.entry_version_row, as_json=as_json
        )
    return 0


@commands.command()
@_CONFIG
@_NOW
@_JSON
@_NO_CACHE
@click.option("--show", is_flag=True, help="The texts of each pair side by side; what differs is marked.")
def duplicates(path: Path, now: str | None, *, as_json: bool, no_cache: bool, show: bool) -> int:
    """List posts that repeat or resemble another: how much, what was kept, and why."""
    config = _config(path)
    with _surveyed(config, now, quiet=as_json, use_cache=not no_cache) as (found, team, progress, _):
        pairs = sorted((*found.catalogue.duplicates, *found.instalments(team, progress)), key=lambda f: f.post.path)
    for pair in pairs if as_json or show else ():
        if as_json:
            output.print_json(output.duplicate_to_dict(pair))
        else:
            click.echo(f"{pair.post.path}: {pair.reason}")
            output.print_side_by_side(pair.post.path, pair.kept.path, found.side_by_side(pair))
    if not (as_json or show):
        output.print_table(("kind", "same", "dropped", "path", "other"), [output.duplicate_row(pair) for pair in pairs])
        click.echo(output.format_pair_counts(pairs))
    output.print_diagnostics([], found.warnings)
    return 0


@commands.command()
@_CONFIG
@_NOW
@_JSON
@click.option("--suggest", is_flag=True, help="Tags for posts that have none, each with its reason.")
@click.option("--fix", is_flag=True, help="Show how front matter would spell tags as they are published.")
@click.option("--write", is_flag=True, help="With --fix: change the files.")
def tags(path: Path, now: str | None, *, as_json: bool, suggest: bool, fix: bool, write: bool) -> int:
    """List tags, their spellings, posts and rule hits; suggest some; mend their spelling in the files."""
    from feeds.core.curation.tags import tag_overview
    from feeds.jobs.posts import tags as job

    if (suggest and fix) or (write and not fix):
        raise click.UsageError("--write goes with --fix, and --suggest with neither")
    config = _config(path)
    with _surveyed(config, now, quiet=as_json, use_cache=True) as (survey, _, progress, _):
        found = survey.catalogue
        suggestions = job.suggest_missing_tags(config, found, progress) if suggest else []
    head: tuple[str, ...]
    if suggest:
        if config.settings.tags.suggest == "off":
            output.print_diagnostics([], [f'{config.path}: tags.suggest: is "off"; nothing is suggested'])
        head = ("path", "tag", "because")
        output.print_records(suggestions, output.suggestion_to_dict, head, output.suggestion_row, as_json=as_json)
        return 0
    if fix:
        folder = config.settings.posts.folder.rstrip("/")
        errors = output.print_tag_changes(folder, job.fix_tag_spellings(config, found, write=write), as_json=as_json)
        output.print_diagnostics(errors, [])
        return 1 if errors else 0
    head = ("tag", "posts", "rule hits", "spellings", "below it; aliases")
    output.print_records(
        tag_overview(found, config.settings), output.tag_to_dict, head, output.tag_row, as_json=as_json
    )
    return 0


@commands.command()
@_CONFIG
@_NOW
@_JSON
def check(path: Path, now: str | None, *, as_json: bool) -> int:
    """Judge posts, config and the next issue of each newsletter as readers and filters would."""
    from feeds.jobs.check import check_site as check_
    from feeds.jobs.report import PublishOptions
    from feeds.jobs.site import Site

    config = _config(path)
    with _surveyed(config, now, quiet=as_json, use_cache=True) as (found, team, progress, store):
        wish = PublishOptions(now=_now(config, now), clock=_clock, progress=progress)
        remarks = list(check_(Site(config), found, store.issues, wish, team))
    head = ("level", "where", "what", "what to do")
    output.print_records(remarks, output.diagnostic_to_dict, head, output.diagnostic_row, as_json=as_json)
    errors = sum(remark.level == "error" for remark in remarks)
    if not as_json:
        click.echo(f"{errors} errors, {len(remarks) - errors} warnings")
    return 1 if errors else 0


@commands.command()
@_CONFIG
@_NOW
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="Of this machine.")
def preview(path: Path, now: str | None, port: int) -> None:
    """Show the next issue of each newsletter in a browser, as you write; on this machine only, until Ctrl-C."""
    from feeds.jobs.preview import Preview
    from feeds.web import preview as web

    config = _config(path)
    moment = None if now is None else _now(config, now)
    click.echo(f"http://127.0.0.1:{port}/  (Ctrl-C ends it)")
    web.serve(Preview(path, os.environ, lambda: moment or _clock()), config.folder, port)


@commands.group()
def ids() -> None:
    """Permanent ids: to and from a file that can be committed with the posts."""


_IDS = click.argument("file", type=click.Path(path_type=Path), default=Path("feeds-ids.jsonl"))


@ids.command("export")
@_CONFIG
@_IDS
def export_ids(path: Path, file: Path) -> None:
    """Write every id that was ever given to FILE, for builds on machines that keep no store."""
    from feeds.jobs.store import ids as job

    click.echo(f"{job.export_ids(_config(path), file)} ids written to {file}")


@ids.command("import")
@_CONFIG
@_IDS
def import_ids(path: Path, file: Path) -> None:
    """Take over the ids in FILE that this store does not know."""
    from feeds.jobs.store import ids as job

    new, known = job.import_ids(_config(path), file, _clock())
    click.echo(f"{new} ids taken over from {file}, {known} were known")


@commands.command()
@_CONFIG
@_JSON
@click.argument("number", type=int, required=False)
@click.option("--newsletter", help="Of which newsletter, where several have this number.")
@click.option("--recipients", is_flag=True, help="Who got it, when, and what the server said.")
def issues(path: Path, number: int | None, newsletter: str | None, *, recipients: bool, as_json: bool) -> None:
    """List the issues of every newsletter, or who got issue NUMBER."""
    from feeds.edges.store.database import open_store

    config = _config(path)
    if (number is None) == recipients:
        raise click.UsageError("NUMBER and --recipients go together: feeds issues 12 --recipients")
    if number is not None:
        from feeds.jobs.newsletters import status

        got = list(status.issue_recipients(config, newsletter, number))
        columns = ("recipient", "language", "state", "sent (UTC)", "answer")
        output.print_records(got, output.delivery_to_dict, columns, output.delivery_row, as_json=as_json)
        return
    with open_store(config.settings.store.url, config.folder, create=False) as store:
        found = store.issues.load_issues()
    head = ("newsletter", "number", "slot", "state", "sent", "subject")
    output.print_records(found, output.issue_to_dict, head, output.issue_row, as_json=as_json)


@commands.command()
@_CONFIG
@_NOW
@_JSON
@click.argument("newsletter")
@click.option("--test", metavar="ADDRESS", help="Only to this address, as a trial; nothing counts as told.")
@_YES
def send(path: Path, now: str | None, newsletter: str, *, as_json: bool, test: str | None, yes: bool) -> int:
    """Compose and send an issue of NEWSLETTER now, whatever its schedule says; approval is waited for all the same."""
    from feeds.jobs.newsletters import compose
    from feeds.jobs.newsletters.test_send import send_test
    from feeds.jobs.publish import publish as publish_
    from feeds.jobs.report import PublishOptions
    from feeds.jobs.site import Site

    config = _config(path)
    moment = _now(config, now)
    if test is None:
        compose.find_newsletter(Site(config), newsletter)
        with _progress(hidden=as_json) as progress:
            wish = PublishOptions(now=moment, clock=_clock, send=newsletter, yes=yes, ask=_ask(), progress=progress)
            report = publish_(config, wish)
        return output.print_report(config, report, as_json=as_json)
    with _surveyed(config, now, quiet=as_json, use_cache=True) as (found, _, _, store):
        wish = PublishOptions(now=moment, clock=_clock)
        click.echo(send_test(Site(config), newsletter, test, found, store.issues, wish))
    return 0


@commands.command()
@_CONFIG
@_JSON
@click.argument("newsletter")
def approve(path: Path, newsletter: str, *, as_json: bool) -> int:
    """Send the issue of NEWSLETTER that waits for approval; feeds are brought up to date on the way."""
    from feeds.jobs.newsletters import approve as job
    from feeds.jobs.report import PublishOptions

    config = _config(path)
    with _progress(hidden=as_json) as progress:
        report = job.approve_issue(config, newsletter, PublishOptions(now=_clock(), clock=_clock, progress=progress))
    return output.print_report(config, report, as_json=as_json)


@commands.command()
@_CONFIG
@click.argument("newsletter")
def cancel(path: Path, newsletter: str) -> None:
    """Forget the issue of NEWSLETTER that waits for approval, or send nothing more of the one that is on its way."""
    from feeds.jobs.newsletters import status

    click.echo(status.cancel_issue(_config(path), newsletter))


@commands.command()
@_CONFIG
@_JSON
@click.argument("newsletter", required=False)
def resume(path: Path, newsletter: str | None, *, as_json: bool) -> int:
    """Go on at once with what waits, is held or was stopped, of NEWSLETTER or of all."""
    from feeds.jobs.newsletters import status
    from feeds.jobs.report import PublishOptions

    config = _config(path)
    with _progress(hidden=as_json) as progress:
        report = status.resume_sending(
            config, newsletter, PublishOptions(now=_clock(), clock=_clock, progress=progress)
        )
    return output.print_report(config, report, as_json=as_json)


commands.add_command(corrections.retract)
commands.add_command(corrections.correct)
commands.add_command(status.status)
commands.add_command(subscribers.subscribers)
commands.add_command(bounces.bounces)
commands.add_command(store.store)


@commands.command("run")
@_CONFIG
@_JSON
def run_schedule(path: Path, *, as_json: bool) -> None:
    """Publish and send on a schedule until SIGTERM, and log what happens."""
    from feeds.jobs.run import run_service as run_

    gc.enable()  # this one stays

    def tell(event: "Event") -> None:
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        if as_json:
            output.print_json(output.event_to_dict(at, event))
        else:
            click.echo(f"{at} {event.text}")

    run_(path, dict(os.environ), tell)


@contextmanager
def _surveyed(
    config: "Config", now: str | None, *, quiet: bool, use_cache: bool
) -> Iterator[tuple["Survey", "Workers", Callable[[str, int, int], None], "Store"]]:
    """Yield a survey of the posts, workers that may go on with it, a progress bar, and the store it looked into."""
    from feeds.edges.process.workers import workers
    from feeds.edges.store.database import open_store
    from feeds.jobs.posts.survey import SurveyOptions, survey_posts

    with (
        _progress(hidden=quiet) as progress,
        open_store(config.settings.store.url, config.folder, create=False) as store,
        workers() as team,
    ):
        known = store.entries.load_entries()
        moment = _now(config, now)
        means = SurveyOptions(team=team, progress=progress, use_cache=use_cache)
        found = survey_posts(config, now=moment, known=known, means=means)
        yield found, team, progress, store
