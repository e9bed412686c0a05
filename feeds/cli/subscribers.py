"""`feeds subscribers`: people, each word a job to do."""

import gc
import sys
import time
from pathlib import Path

import click

from feeds.cli import options, output

_EMAIL = click.argument("email")
_STATUS = click.option(
    "--status",
    type=click.Choice(["active", "pending", "unsubscribed", "bounced", "complained"]),
    help="Only those of this status.",
)
_READERS = click.option("--newsletter", help="Only those who read it.")


@click.group()
def subscribers() -> None:
    """People: add, remove, look at, bring from elsewhere and take along, forget."""


@subscribers.command("add")
@options.CONFIG
@_EMAIL
@click.option("--newsletter", "newsletters", multiple=True, help="Which newsletter; may be given again. Default: all.")
@click.option("--topic", "topics", multiple=True, help="A category they want; may be given again. Default: all.")
@click.option("--lang", help="Their language, such as en or ja.")
@click.option("--timezone", help="Where they live, such as Asia/Tokyo.")
@click.option("--again", is_flag=True, help="Bring somebody back who has left; only when they asked for it.")
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
    """Make EMAIL an active reader."""
    from feeds.core.subscribers.addresses import address_warnings, parse_address
    from feeds.jobs.subscribers import subscribe

    found = subscribe.add_subscriber(
        options.read_config(path),
        email,
        newsletters,
        topics=topics,
        lang=lang,
        timezone=timezone,
        now=options.utc_now(),
        again=again,
    )
    output.print_diagnostics([], (f"{found.email}: {doubt}" for doubt in address_warnings(parse_address(email))))
    click.echo(f"{found.email} is {found.status}: {', '.join(found.newsletters)}")


@subscribers.command("remove")
@options.CONFIG
@_EMAIL
def remove_subscriber(path: Path, email: str) -> None:
    """Write down that EMAIL has left; no more letters go there."""
    from feeds.jobs.subscribers import subscribe

    known = subscribe.remove_subscriber(options.read_config(path), email, options.utc_now())
    click.echo(f"{email} gets no more letters" if known else f"{email} was not subscribed")


@subscribers.command("list")
@options.CONFIG
@_READERS
@_STATUS
@options.JSON
def list_subscribers(path: Path, newsletter: str | None, status: str | None, *, as_json: bool) -> None:
    """List people and how they stand."""
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
    """Tell all that is stored about EMAIL."""
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers import subscribe

    found = subscribe.load_subscriber_data(options.read_config(path), email)
    if as_json:
        output.print_json(output_subscribers.subscriber_data_to_dict(found))
    for line in () if as_json else output_subscribers.subscriber_data_lines(found):
        click.echo(output.escape_controls(line))


@subscribers.command("import")
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--newsletter", "newsletters", multiple=True, help="What everybody in it reads, whatever it says; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="Say what would be imported; import nothing.")
@click.option("--partial", is_flag=True, help="Import the other rows where some are refused.")
@options.JSON
def import_subscribers(
    path: Path, file: Path, newsletters: tuple[str, ...], *, dry_run: bool, partial: bool, as_json: bool
) -> int:
    """Take in the people in FILE, a CSV of this or another tool (`-`: standard input); all or nothing.

    Nobody is brought back who has left, bounced or complained, or must not be written to.
    """
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers import import_subscribers as job

    gc.enable()  # rows that are refused leave something to collect
    started, remarks = time.perf_counter(), output_subscribers.RowMessages()

    def tell(found: job.RowMessage) -> None:
        remarks.add(found)
        if as_json:
            output.print_json(output_subscribers.row_message_to_dict(found))

    with options.show_progress(hidden=as_json) as progress:
        order = job.ImportOptions(
            newsletters=newsletters,
            dry_run=dry_run,
            partial=partial,
            now=options.utc_now(),
            tell=tell,
            progress=progress,
        )
        found = job.import_csv(options.read_config(path), file, order)
    seconds = time.perf_counter() - started
    failed = bool(found.refused) and not partial
    if as_json:
        output.print_json(output_subscribers.import_report_to_dict(found, seconds=seconds))
    else:
        refused = list(remarks.lines(found.file, "refused"))
        warnings = [
            *(f"{found.file}: {note}" for note in found.notes),
            *remarks.lines(found.file, "warning", "kept_out"),
        ]
        output.print_diagnostics(refused if failed else [], warnings if failed else [*refused, *warnings])
        for line in output_subscribers.import_report_lines(found, dry_run=dry_run):
            click.echo(output.escape_controls(line))
        click.echo(f"{seconds:.2f} s")
    return 1 if failed else 0


@subscribers.command("export")
@options.CONFIG
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default=Path("-"))
@_READERS
@_STATUS
@click.option("--person", metavar="EMAIL", help="All that is stored about one person, as JSON.")
def export_subscribers(path: Path, file: Path, newsletter: str | None, status: str | None, person: str | None) -> None:
    """Write people to FILE as CSV that import takes back, or to standard output."""
    from feeds.cli import output_subscribers
    from feeds.edges.files.folder import write_private
    from feeds.jobs.subscribers import import_subscribers as job
    from feeds.jobs.subscribers import subscribe

    if person is not None and (newsletter or status):
        raise click.UsageError("--person goes without --newsletter and --status")
    config = options.read_config(path)
    if person is not None:
        content = output_subscribers.subscriber_document(subscribe.load_subscriber_data(config, person))
    else:
        content = job.export_csv(config, newsletter=newsletter, status=status)
    if file == Path("-"):
        sys.stdout.buffer.writelines(content)
        sys.stdout.buffer.flush()
    else:
        write_private(file, content)


@subscribers.command("erase")
@options.CONFIG
@_EMAIL
def erase_subscriber(path: Path, email: str) -> None:
    """Forget EMAIL everywhere; a hash that only this site can compare keeps it from coming back."""
    from feeds.cli import output_subscribers
    from feeds.jobs.subscribers.erase import erase_subscriber

    found = erase_subscriber(options.read_config(path), email, options.utc_now())
    output.print_diagnostics([], output_subscribers.copy_to_warnings(found))
    for line in output_subscribers.erasure_lines(found):
        click.echo(line)


@subscribers.command("suppress")
@options.CONFIG
@_EMAIL
@click.option("--undo", is_flag=True, help="Take it off the list.")
def suppress_address(path: Path, email: str, *, undo: bool) -> None:
    """See to it that nobody is written to at EMAIL, whoever adds or imports it."""
    from feeds.jobs.subscribers import subscribe

    config = options.read_config(path)
    if undo:
        was = subscribe.allow_address(config, email)
        click.echo(f"{email} may be added again" if was else f"{email} was not on the list")
    else:
        new = subscribe.suppress_address(config, email, options.utc_now())
        click.echo(f"{email} {'is on the list' if new else 'was on the list already'}: nobody is written to there")
