"""Commands about posts: `posts`, `duplicates`, `tags`, `ids`."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.cli import options, output, output_posts
from feeds.cli.clock import utc_now
from feeds.display import format_count

if TYPE_CHECKING:
    from feeds.config import Config


@click.command()
@options.CONFIG
@options.NOW
@options.JSON
@options.NO_CACHE
@click.option("--history", metavar="PATH", help="Print the former titles, paths and texts of the entry of this post.")
def posts(path: Path, now: str | None, *, as_json: bool, no_cache: bool, history: str | None) -> int:
    """List every post file with its status, and why a post is not public."""
    from feeds.jobs.posts.listing import list_posts

    config = options.read_config(path)
    if history is not None:
        _print_history(config, history, as_json=as_json)
        return 0
    with options.job_context(quiet=as_json) as context:
        moment = options.parse_now(config, now)
        found = list_posts(config, moment, context, use_cache=not no_cache, with_texts=as_json)
    catalogue = found.survey.catalogue
    entries = {entry.post.path: entry for entry in catalogue.entries}
    for outcome in catalogue.outcomes if as_json else ():
        entry, text = entries.get(outcome.path), found.texts.get(outcome.path)
        output.print_json(output_posts.post_to_dict(outcome, entry, text))
    errors, warnings = found.survey.diagnostics()
    if not as_json:
        head = ("status", "date", "path", "title or reason", "address")
        output.print_table(head, [*map(output_posts.post_row, output_posts.newest_first(catalogue.outcomes))])
        click.echo(output.format_post_counts(catalogue.counts))
        output.print_diagnostics([], warnings)
    output.print_diagnostics([], found.survey.warnings)
    return 1 if errors else 0


def _print_history(config: "Config", path: str, *, as_json: bool) -> None:
    from feeds.jobs.store.ids import entry_history

    head = ("since", "path", "title", "text")
    for identity, versions in entry_history(config, path).items():
        if not as_json:
            click.echo(identity)
        to_dict = partial(output_posts.entry_version_to_dict, identity)
        to_row = partial(output_posts.entry_version_row, zone=config.settings.site.timezone)
        output.print_records(versions, to_dict, head, to_row, as_json=as_json)


@click.command()
@options.CONFIG
@options.NOW
@options.JSON
@options.NO_CACHE
@click.option("--show", is_flag=True, help="Print the texts of each pair side by side, with the differences marked.")
def duplicates(path: Path, now: str | None, *, as_json: bool, no_cache: bool, show: bool) -> int:
    """List posts that repeat or resemble another: how much, which one is kept, and why."""
    from feeds.jobs.posts.listing import list_duplicates

    config = options.read_config(path)
    with options.job_context(quiet=as_json) as context:
        found = list_duplicates(config, options.parse_now(config, now), context, use_cache=not no_cache)
    for pair in found.pairs if as_json or show else ():
        if as_json:
            output.print_json(output_posts.duplicate_to_dict(pair))
        else:
            click.echo(f"{pair.post.path}: {pair.reason}")
            paragraphs = found.survey.side_by_side(pair)
            output_posts.print_side_by_side(pair.post.path, pair.kept.path, paragraphs)
    if not (as_json or show):
        head = ("kind", "same", "dropped", "path", "other")
        output.print_table(head, [output_posts.duplicate_row(pair) for pair in found.pairs])
        click.echo(output_posts.format_pair_counts(found.pairs))
    output.print_diagnostics([], found.survey.warnings)
    return 0


@click.command()
@options.CONFIG
@options.NOW
@options.JSON
@click.option("--suggest", is_flag=True, help="Suggest tags for posts that have none, each with its reason.")
@click.option("--fix", is_flag=True, help="Print the front matter changes that give every tag its published spelling.")
@click.option("--write", is_flag=True, help="With --fix: change the files.")
def tags(path: Path, now: str | None, *, as_json: bool, suggest: bool, fix: bool, write: bool) -> int:
    """List tags with their spellings and posts; suggest tags; fix spellings in the files."""
    if (suggest and fix) or (write and not fix):
        raise click.UsageError("--write needs --fix; --suggest cannot be combined with --fix or --write")
    config = options.read_config(path)
    moment = options.parse_now(config, now)
    if suggest:
        return _suggest_tags(config, moment, as_json=as_json)
    if fix:
        return _fix_tags(config, moment, write=write, as_json=as_json)
    return _list_tags(config, moment, as_json=as_json)


def _suggest_tags(config: "Config", now: datetime, *, as_json: bool) -> int:
    from feeds.jobs.posts.listing import suggest_tags

    with options.job_context(quiet=as_json) as context:
        found = suggest_tags(config, now, context)
    if config.settings.tags.suggest == "off":
        output.print_diagnostics([], [f'{config.path}: tags.suggest: is "off"; no tags are suggested'])
    head = ("path", "tag", "because")
    output.print_records(found, output_posts.suggestion_to_dict, head, output_posts.suggestion_row, as_json=as_json)
    return 0


def _fix_tags(config: "Config", now: datetime, *, write: bool, as_json: bool) -> int:
    from feeds.jobs.posts.listing import fix_tags

    with options.job_context(quiet=as_json) as context:
        changes = fix_tags(config, now, context, write=write)
    errors = output_posts.print_tag_changes(config.settings.posts.folder.rstrip("/"), changes, as_json=as_json)
    output.print_diagnostics(errors, [])
    return 1 if errors else 0


def _list_tags(config: "Config", now: datetime, *, as_json: bool) -> int:
    from feeds.jobs.posts.listing import list_tags

    with options.job_context(quiet=as_json) as context:
        found = list_tags(config, now, context)
    head = ("tag", "posts", "rule hits", "spellings", "below it; aliases")
    output.print_records(found, output_posts.tag_to_dict, head, output_posts.tag_row, as_json=as_json)
    return 0


@click.group()
def ids() -> None:
    """Export, import and adopt the permanent ids of entries."""


_IDS = click.argument("file", type=click.Path(path_type=Path), default=Path("feeds-ids.jsonl"))


@ids.command("export")
@options.CONFIG
@_IDS
def export_ids(path: Path, file: Path) -> None:
    """Write every id that was ever assigned to FILE, for machines that keep no database."""
    from feeds.jobs.store import ids as job

    click.echo(f"wrote {format_count(job.export_ids(options.read_config(path), file), 'id')} to {file}")


@ids.command("import")
@options.CONFIG
@_IDS
def import_ids(path: Path, file: Path) -> None:
    """Import the ids in FILE that the database does not have."""
    from feeds.jobs.store import ids as job

    exists = file.exists()
    new, known = job.import_ids(options.read_config(path), file, utc_now())
    if exists:
        click.echo(f"imported {format_count(new, 'id')} from {file}; {format_count(known, 'was', 'were')} known")
    else:
        click.echo(f"{file} does not exist yet, so nothing was imported; `feeds ids export` writes it")


@ids.command("adopt")
@options.CONFIG
@options.NOW
@options.JSON
@click.option("--dry-run", is_flag=True, help="Print which ids would be taken; change nothing.")
@click.option("--replace", is_flag=True, help="Also replace ids that posts were published with by this program.")
@click.argument("sources", metavar="FEED...", nargs=-1, required=True)
def adopt_ids(
    path: Path, now: str | None, *, as_json: bool, dry_run: bool, replace: bool, sources: tuple[str, ...]
) -> None:
    """Take the ids of another program's FEED, a file or URL, so that no feed reader shows old posts again."""
    from feeds.jobs.store import adopt_ids as job

    config = options.read_config(path)
    with options.job_context(quiet=as_json) as context:
        moment = options.parse_now(config, now)
        report = job.adopt_ids(config, sources, moment, context, replace=replace, dry_run=dry_run)
    output.print_diagnostics([], report.warnings)
    shown = report.adoptions if as_json or dry_run else output_posts.without_id(report.adoptions)
    head = ("status", "id", "path", "by or reason")
    output.print_records(shown, output_posts.adoption_to_dict, head, output_posts.adoption_row, as_json=as_json)
    if not as_json:
        click.echo(output_posts.format_adoptions(report, dry_run=dry_run))
