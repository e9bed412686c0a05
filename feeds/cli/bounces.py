"""`feeds bounces`, and `feeds subscribers revive`, which brings readers back who were given up wrongly."""

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli import options, output, subscribers

if TYPE_CHECKING:
    from feeds.config import Config
    from feeds.jobs.subscribers.bounces import ProcessedMessage


@click.command()
@options.CONFIG
@options.JSON
@click.option("--dry-run", is_flag=True, help="Say what would follow; decide and remove nothing.")
@click.option("--believe", metavar="DOMAIN", help="Let count what was held since so many bounced there at once.")
def bounces(path: Path, *, as_json: bool, dry_run: bool, believe: str | None) -> None:
    """Read the bounce mailbox once: who cannot be reached, who complains, who wants to leave."""
    from feeds.jobs.subscribers import bounces as job

    config = options.read_config(path)
    if believe is not None:
        if dry_run or as_json:
            raise click.UsageError("--believe goes with neither --dry-run nor --json")
        decided = job.apply_held_bounces(config, believe, options.utc_now())
        click.echo(f"{believe}: {decided.total():,} bounces count: {job.format_counts(decided) or 'none was held'}")
        return
    found = job.process_mailbox(config, options.utc_now(), dry_run=dry_run)
    head = ("what", "reader", "issue", "status", "what follows")
    output.print_records(found.processed, _handled, head, _row, as_json=as_json)
    output.print_diagnostics([], found.warnings)
    if as_json:
        return
    for line in (
        *job.summarize_report(found),
        *(f"{d.domain} is paused until {d.until:%Y-%m-%d %H:%M} UTC" for d in found.paused),
    ):
        click.echo(line)
    if found.kept:
        click.echo(f"{found.kept} that nobody understood lie in {job.FOLDER}/, each for 90 days")
    if dry_run:
        click.echo("dry run: nothing was decided or removed")


def _handled(one: "ProcessedMessage") -> dict[str, Any]:
    return asdict(one)


def _row(one: "ProcessedMessage") -> tuple[str, ...]:
    issue = f"{one.newsletter} {one.number or ''}".strip()
    return one.what, one.email, issue, one.status, one.decision


@subscribers.subscribers.command()
@options.CONFIG
@click.option("--domain", required=True, help="Whose readers.")
@click.option(
    "--between",
    nargs=2,
    required=True,
    metavar="FROM TO",
    help="When it was decided: two moments, such as 2026-11-23T08:00; a day alone is the whole day.",
)
def revive(path: Path, domain: str, between: tuple[str, str]) -> None:
    """Undo what bounces have decided about a domain's readers in a time: its server was wrong.

    The domain is paused no longer. Complaints and leaves stand.
    """
    from feeds.jobs.subscribers import bounces as job

    config = options.read_config(path)
    done = job.revive_domain(
        config, domain, options.parse_now(config, between[0]), _end(config, between[1]), options.utc_now()
    )
    click.echo(
        f"{done.readers:,} were given up and get letters again, {done.unpaused:,} are paused no more;"
        f" {done.bounces:,} bounces count no more{f'; {domain} is paused no longer' if done.domain else ''}"
    )


def _end(config: "Config", text: str) -> datetime:
    """Return the moment before which it ended: a day alone is meant whole."""
    return options.parse_now(config, text) + timedelta(days=bool(re.fullmatch(r"\s*\d{4}-\d\d?-\d\d?\s*", text)))
