"""`feeds subscribers`: add, remove, list, show, import, export, erase and suppress subscribers."""

import gc
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.cli import options, output
from feeds.cli.clock import utc_now

if TYPE_CHECKING:
    from feeds.config import Config

_EMAIL = click.argument("email")
_STATUS = click.option(
    "--status",
    type=click.Choice(["active", "pending", "unsubscribed", "bounced", "complained"]),
    help="Only subscribers with this status.",
)
_NEWSLETTER = click.option("--newsletter", help="Only subscribers of this newsletter.")


@click.group()
def subscribers() -> None:
    """Add, remove, list, import, export, erase and suppress subscribers."""


@subscribers.command("add")
@options.CONFIG
@_EMAIL
@click.option(
    "--newsletter", "newsletters", multiple=True, help="Newsletter to subscribe to; can be repeated. Default: all."
)
@click.option("--topic", "topics", multiple=True, help="Category to send; can be repeated. Default: all.")
@click.option("--lang", help="Language of the letters, such as en or ja.")
@click.option("--timezone", help="Time zone, such as Asia/Tokyo.")
@click.option("--again", is_flag=True, help="Add an address that has unsubscribed; only if its owner asked for it.")
def add_subscriber(
    path: Path,
    email: str,
    newsletters: tuple[str, ...],
    topics: tuple[str, ...],
    lang: str | None,
    timezone: str | None,
    *,
    again: bool,
) -> None:
    """Add EMAIL as an active subscriber."""
    from feeds.jobs.subscribers import subscribe

    config = options.read_config(path)
    found = subscribe.add_subscriber(
        config,
        email,
        newsletters,
        topics=topics,
        lang=lang,
        timezone=timezone,
        now=utc_now(),
        again=again,
    )
    warnings = [*subscribe.address_warnings(email), *_topic_warnings(config, topics)]
    output.print_diagnostics([], (f"{found.email}: {line}" for line in warnings))
    click.echo(f"{found.email} is {found.status}: {', '.join(found.newsletters)}")


def _topic_warnings(config: "Config", topics: Collection[str]) -> list[str]:
    from feeds.jobs.subscribers.topics import topic_warnings

    with options.job_context(quiet=False) as context:
        return topic_warnings(config, topics, utc_now(), context)


@subscribers.command("remove")
@options.CONFIG
@_EMAIL
def remove_subscriber(path: Path, email: str) -> None:
    """Unsubscribe EMAIL; it gets no more letters."""
    from feeds.jobs.subscribers import subscribe

    known = subscribe.remove_subscriber(options.read_config(path), email, utc_now())
    click.echo(f"{email} is unsubscribed" if known else f"{email} was not subscribed")


@subscribers.command("list")
@options.CONFIG
@_NEWSLETTER
@_STATUS
@options.JSON
def list_subscribers(path: Path, newsletter: str | None, status: str | None, *, as_json: bool) -> None:
    """List subscribers and their status."""
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers import subscribe

    config = options.read_config(path)
    output_subscribers.print_subscribers(
        subscribe.list_subscribers(config, newsletter=newsletter, status=status), as_json=as_json
    )
    if not as_json:
        click.echo(
            output_subscribers.format_status_counts(
                subscribe.count_subscribers(config, newsletter=newsletter, status=status)
            )
        )


@subscribers.command("show")
@options.CONFIG
@_EMAIL
@options.JSON
def show_subscriber(path: Path, email: str, *, as_json: bool) -> None:
    """Print everything that is stored about EMAIL."""
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers import subscribe
    from feeds.jobs.subscribers.subscriber_document import subscriber_data_to_dict

    config = options.read_config(path)
    found = subscribe.load_subscriber_data(config, email)
    if as_json:
        output.print_json(subscriber_data_to_dict(found))
    for line in () if as_json else output_subscribers.subscriber_data_lines(found, config.settings.site.timezone):
        click.echo(output.escape_controls(line))


@subscribers.command("import")
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--newsletter",
    "newsletters",
    multiple=True,
    help="Newsletter for every row, whatever the file says; can be repeated.",
)
@click.option(
    "--status",
    type=click.Choice(["pending", "unsubscribed", "bounced", "complained"]),
    help="Status of every row that does not give a worse one, for a list of people who are gone.",
)
@click.option(
    "--ignore-column",
    "ignore_columns",
    metavar="NAME",
    multiple=True,
    help="Column that is not used, whatever it means; can be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be imported; import nothing.")
@click.option("--partial", is_flag=True, help="Import the valid rows even if others are rejected.")
@options.JSON
def import_subscribers(
    path: Path,
    file: Path,
    newsletters: tuple[str, ...],
    status: str | None,
    ignore_columns: tuple[str, ...],
    *,
    dry_run: bool,
    partial: bool,
    as_json: bool,
) -> int:
    """Import the subscribers in FILE, a CSV of this or another tool (`-`: standard input); all rows or none.

    An import never reactivates an address that has unsubscribed, bounced or complained, or is suppressed.
    """
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers import import_subscribers as job

    gc.enable()  # rejected rows leave cycles behind
    config = options.read_config(path)
    started, messages = time.perf_counter(), output_subscribers.RowMessages()

    def report_row(message: job.RowMessage) -> None:
        messages.add(message)
        if as_json:
            output.print_json(output_subscribers.row_message_to_dict(message))

    with options.show_progress(hidden=as_json) as progress:
        order = job.ImportOptions(
            newsletters=newsletters,
            ignore_columns=ignore_columns,
            status=status or "",
            dry_run=dry_run,
            partial=partial,
            now=utc_now(),
            report_row=report_row,
            progress=progress,
        )
        found = job.import_csv(config, file, order)
    seconds = time.perf_counter() - started
    failed = bool(found.rejected) and not partial
    if as_json:
        output.print_json(output_subscribers.import_report_to_dict(found, seconds=seconds))
    else:
        refused = list(messages.lines(found.file, "refused"))
        notes = (*found.notes, *_topic_warnings(config, found.topics))
        warnings = [
            *(f"{found.file}: {note}" for note in notes),
            *messages.lines(found.file, "warning", "kept_out"),
        ]
        output.print_diagnostics(refused if failed else [], warnings if failed else [*refused, *warnings])
        for line in output_subscribers.import_report_lines(found, dry_run=dry_run):
            click.echo(output.escape_controls(line))
        click.echo(f"{seconds:.2f} s")
    return 1 if failed else 0


@subscribers.command("export")
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default=Path("-"))
@_NEWSLETTER
@_STATUS
@click.option("--person", metavar="EMAIL", help="Everything that is stored about one address, as JSON.")
def export_subscribers(path: Path, file: Path, newsletter: str | None, status: str | None, person: str | None) -> None:
    """Write subscribers to FILE, or to standard output, as CSV that can be imported again."""
    from feeds.jobs.subscribers import import_subscribers as job
    from feeds.jobs.subscribers import subscribe
    from feeds.jobs.subscribers.subscriber_document import subscriber_document

    if person is not None and (newsletter or status):
        raise click.UsageError("--person cannot be combined with --newsletter or --status")
    config = options.read_config(path)
    if person is not None:
        content = subscriber_document(subscribe.load_subscriber_data(config, person))
    else:
        content = job.export_csv(config, newsletter=newsletter, status=status)
    if file == Path("-"):
        sys.stdout.buffer.writelines(content)
        sys.stdout.buffer.flush()
    else:
        job.write_export(file, content)


@subscribers.command("erase")
@options.CONFIG
@_EMAIL
def erase_subscriber(path: Path, email: str) -> None:
    """Erase EMAIL everywhere; a keyed hash keeps it from being imported again."""
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers.erase import erase_subscriber

    found = erase_subscriber(options.read_config(path), email, utc_now())
    output.print_diagnostics([], output_subscribers.copy_to_warnings(found))
    for line in output_subscribers.erasure_lines(found):
        click.echo(line)


@subscribers.command("suppress")
@options.CONFIG
@_EMAIL
@click.option("--undo", is_flag=True, help="Remove EMAIL from the suppression list.")
def suppress_address(path: Path, email: str, *, undo: bool) -> None:
    """Put EMAIL on the suppression list: it gets no mail, even if it is added or imported again."""
    from feeds.jobs.subscribers import subscribe

    config = options.read_config(path)
    if undo:
        was = subscribe.allow_address(config, email, utc_now())
        click.echo(f"{email} is no longer suppressed" if was else f"{email} was not suppressed")
    else:
        new = subscribe.suppress_address(config, email, utc_now())
        click.echo(f"{email} {'is suppressed' if new else 'was suppressed already'}: it gets no mail")
