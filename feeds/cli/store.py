"""`feeds store`: the memory as a thing."""

from pathlib import Path

import click

from feeds.cli import options


@click.group()
def store() -> None:
    """The memory: take over what was sent without it, keep a copy, bring one back."""


@store.command()
@options.CONFIG
@options.NOW
@click.option("--dry-run", is_flag=True, help="Only say what would be taken over.")
def adopt(path: Path, now: str | None, *, dry_run: bool) -> None:
    """Take what is public now as told: for a new store, an older one, or a site that comes from another tool."""
    from feeds.jobs.report import PublishOptions
    from feeds.jobs.store.backup import adopt_public as job

    config = options.read_config(path)
    with options.show_progress(hidden=False) as progress:
        wish = PublishOptions(
            now=options.parse_now(config, now), clock=options.utc_now, dry_run=dry_run, progress=progress
        )
        lines = job(config, wish)
    for line in lines:
        click.echo(line)


@store.command()
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path))
def backup(path: Path, file: Path) -> None:
    """Copy the store to FILE, and its keys to FILE.key; also while something sends."""
    from feeds.jobs.store.backup import backup_store as job

    for written in job(options.read_config(path), file):
        click.echo(f"wrote {written}")


@store.command()
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be brought back.")
def restore(path: Path, file: Path, *, dry_run: bool) -> None:
    """Put the backup FILE in the store's place, with what the journal says has happened since; keep what was there."""
    from feeds.cli import output
    from feeds.jobs.store.restore import restore_store as job

    found = job(options.read_config(path), file, options.utc_now(), dry_run=dry_run)
    output.print_diagnostics([], found.warnings)
    for line in found.lines:
        click.echo(line)


@store.command()
@options.CONFIG
def upgrade(path: Path) -> None:
    """Bring the tables up to date; every other command does so too."""
    from feeds.edges.store.database import SCHEMA_VERSION, open_store

    config = options.read_config(path)
    with open_store(config.settings.store.url, config.folder):
        click.echo(f"{config.settings.store.url}: its tables are at {SCHEMA_VERSION}")
