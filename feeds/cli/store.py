"""`feeds store`: adopt, back up, restore, check, copy, upgrade and claim the database."""

from dataclasses import asdict
from pathlib import Path

import click

from feeds.cli import options, output
from feeds.cli.clock import utc_now


@click.group()
def store() -> None:
    """Adopt, back up, restore, check, copy, upgrade, claim a store."""


@store.command()
@options.CONFIG
@options.NOW
@click.option("--dry-run", is_flag=True, help="Print what would be marked; change nothing.")
def adopt(path: Path, now: str | None, *, dry_run: bool) -> None:
    """Mark everything that is public now as sent, without sending it.

    For a new database, an older one, or a site that comes from another tool.
    """
    from feeds.jobs.store.backup import adopt_public

    config = options.read_config(path)
    with options.job_context(quiet=False) as context:
        lines = adopt_public(config, options.parse_now(config, now), context, dry_run=dry_run)
    for line in lines:
        click.echo(line)


@store.command()
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path))
def backup(path: Path, file: Path) -> None:
    """Copy a SQLite database to FILE, and its keys to FILE.key.

    It is safe while letters are being sent. PostgreSQL is backed up by pg_dump: then this only prints the command.
    """
    from feeds.jobs.store.backup import backup_store

    for written in backup_store(options.read_config(path), file):
        click.echo(f"wrote {written}")


@store.command()
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print what would be restored; change nothing.")
def restore(path: Path, file: Path, *, dry_run: bool) -> None:
    """Replace a SQLite database with the backup FILE and the journal.

    The journal has what happened since the backup. The old database is kept. PostgreSQL is restored by pg_restore: then
    this only prints the command.
    """
    from feeds.jobs.store.restore import restore_store

    found = restore_store(options.read_config(path), file, utc_now(), dry_run=dry_run)
    output.print_diagnostics([], found.warnings)
    for line in found.lines:
        click.echo(line)


@store.command()
@options.CONFIG
@click.option("--dry-run", is_flag=True, help="Print which site it is of, and would be of; change nothing.")
def claim(path: Path, *, dry_run: bool) -> None:
    """Make the store this site's, after the site has moved.

    Or after site.id_authority was changed. Nothing else in the store changes. A store in the site's own folder needs no
    claim.
    """
    from feeds.jobs.store.claim import claim_store

    click.echo(claim_store(options.read_config(path), dry_run=dry_run))


@store.command()
@options.CONFIG
@options.JSON
def check(path: Path, *, as_json: bool) -> int:
    """Look for damage, and print the rows of each table.

    Also which site the store is of. The exit code is 1 if something is wrong.
    """
    from feeds.jobs.store.check_store import check_store

    found = check_store(options.read_config(path))
    if as_json:
        output.print_json(asdict(found) | {"site": found.site and found.site._asdict()})
    else:
        output.print_diagnostics([f"{found.name}: {problem}" for problem in found.problems], [])
        click.echo(f"{found.name}: version {found.version}{f', of {found.site}' if found.site else ''}")
        for table, rows in found.rows.items():
            click.echo(f"{rows:>12,}  {table}")
    return int(bool(found.problems))


@store.command()
@options.CONFIG
@click.option(
    "--to", "url", required=True, metavar="URL", help="The other database: sqlite:///FILE or postgresql://..."
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def copy(path: Path, url: str, *, quiet: bool) -> None:
    """Copy all rows to another database, and compare every row.

    From SQLite to PostgreSQL or back. The other database must be empty, and nothing can use it before the copy is
    complete. If the copy is interrupted, run it again: it goes on. Then set store.url. Keys are not copied.

    Stop `feeds run` and `feeds serve` before you copy: what they write afterwards stays in the old database.

    A relative path in sqlite:///FILE starts at the folder of config.toml. The password of postgresql://... can be in
    ~/.pgpass instead of the command line.
    """
    from feeds.config_types import StoreUrl
    from feeds.jobs.store.copy_store import copy_to

    try:
        target = StoreUrl.parse(url)
    except ValueError as e:
        raise click.BadParameter(str(e), param_hint="--to") from e
    config = options.read_config(path)
    with options.job_context(quiet=quiet) as context:
        done = copy_to(config, target, context)
    click.echo(f"copied {done.copied:,} rows, and compared {done.compared:,}; now set store.url in {path.name}")


@store.command()
@options.CONFIG
def upgrade(path: Path) -> None:
    """Migrate the tables to this version.

    Every other command that opens them does this as well. On PostgreSQL, the role must own the tables.
    """
    from feeds.edges.store.database import store_name
    from feeds.jobs.store.backup import upgrade_store

    config = options.read_config(path)
    click.echo(f"{store_name(config.store_url, config.folder)}: the tables are at version {upgrade_store(config)}")
