"""`feeds bounces`, and `feeds subscribers revive`, which undoes decisions about bounces."""

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli import options, output, subscribers
from feeds.cli.clock import utc_now
from feeds.display import format_count, format_time

if TYPE_CHECKING:
    from feeds.config import Config
    from feeds.jobs.subscribers.bounces import ProcessedMessage


@click.command()
@options.CONFIG
@options.JSON
@click.option("--dry-run", is_flag=True, help="Print what would be decided; decide and remove nothing.")
@click.option("--yes", is_flag=True, help="Read the mailbox although it holds other mail, which stays as it is.")
@click.option(
    "--believe", metavar="DOMAIN", help="Apply the bounces of DOMAIN that were held back as a suspected outage."
)
def bounces(path: Path, *, as_json: bool, dry_run: bool, yes: bool, believe: str | None) -> None:
    """Process the bounce mailbox once: bounces, complaints and unsubscribe requests."""
    from feeds.jobs.subscribers import bounces as job

    config = options.read_config(path)
    if believe is not None:
        if dry_run or as_json:
            raise click.UsageError("--believe cannot be combined with --dry-run or --json")
        decided = job.apply_held_bounces(config, believe, utc_now())
        click.echo(
            f"{believe}: {format_count(decided.total(), 'bounce')} applied:"
            f" {job.format_counts(decided) or 'none was held back'}"
        )
        return
    confirm = (lambda _: True) if yes else options.confirm_prompt()
    found = job.process_mailbox(config, utc_now(), dry_run=dry_run, confirm=confirm)
    head = ("what", "reader", "issue", "status", "what follows")
    output.print_records(found.processed, _message_to_dict, head, _message_row, as_json=as_json)
    output.print_diagnostics([], found.warnings)
    if as_json:
        return
    zone = config.settings.site.timezone
    for line in (
        *job.summarize_report(found),
        *(f"{d.domain} is paused until {format_time(d.until, zone)}" for d in found.paused),
    ):
        click.echo(line)
    if found.left:
        left = format_count(found.left, "message that is not ours stays", "messages that are not ours stay")
        click.echo(f"{left} in the mailbox")
    if found.kept:
        kept = format_count(found.kept, "message that says nothing known is", "messages that say nothing known are")
        click.echo(f"{kept} in {config.settings.state}/{job.FOLDER}/, each for 90 days")
    if dry_run:
        click.echo("dry run: nothing was decided or removed")


def _message_to_dict(one: "ProcessedMessage") -> dict[str, Any]:
    return asdict(one)


def _message_row(one: "ProcessedMessage") -> tuple[str, ...]:
    issue = f"{one.newsletter} {one.number or ''}".strip()
    return one.what, one.email, issue, one.status, one.decision


@subscribers.subscribers.command()
@options.CONFIG
@click.option("--domain", required=True, help="Domain of the subscribers' addresses.")
@click.option(
    "--between",
    nargs=2,
    required=True,
    metavar="FROM TO",
    help="When the decisions were made: two times, such as 2026-11-23T08:00; a date is the whole day.",
)
def revive(path: Path, domain: str, between: tuple[str, str]) -> None:
    """Undo what was decided about a domain's bounces in a period, because its mail server was wrong.

    A pause of the domain ends. Complaints and unsubscribes stay.
    """
    from feeds.jobs.subscribers import bounces as job

    config = options.read_config(path)
    done = job.revive_domain(
        config, domain, options.parse_now(config, between[0]), _parse_end(config, between[1]), utc_now()
    )
    click.echo(
        f"{format_count(done.reactivated, 'subscriber')} reactivated, {format_count(done.unpaused, 'pause')} ended,"
        f" {format_count(done.undone, 'bounce')} discarded"
        + (f"; {domain} is no longer paused" if done.domain_unpaused else "")
    )


def _parse_end(config: "Config", text: str) -> datetime:
    """Return the end of the period: the end of the day if *text* is a date."""
    return options.parse_now(config, text) + timedelta(days=bool(re.fullmatch(r"\s*\d{4}-\d\d?-\d\d?\s*", text)))
