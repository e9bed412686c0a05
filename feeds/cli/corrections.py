"""Commands about an issue that was sent and should not have been: `retract`, `correct`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli import options, output, output_issues
from feeds.cli.clock import utc_now
from feeds.display import format_count

if TYPE_CHECKING:
    from feeds.jobs.newsletters.retract import RetractionReport
    from feeds.jobs.report import IssueReport


@click.command()
@options.CONFIG
@options.JSON
@click.argument("newsletter")
@click.argument("number", type=int, required=False)
@click.option("--reason", default="", metavar="TEXT", help="The reason, shown on the page and in the feed.")
@click.option("--undo", is_flag=True, help="Take the retraction back. Deliveries that it cancelled stay cancelled.")
def retract(path: Path, newsletter: str, number: int | None, *, as_json: bool, reason: str, undo: bool) -> int:
    """Retract issue NUMBER of NEWSLETTER, by default the newest: stop sending it, mark its page and feed entry."""
    from feeds.jobs.newsletters import retract as job

    if undo and reason:
        raise click.UsageError("--reason cannot be combined with --undo")
    config = options.read_config(path)
    with options.job_context(quiet=as_json) as context:
        if undo:
            done = job.undo_retraction(config, newsletter, number, context)
        else:
            done = job.retract_issue(config, newsletter, number, reason, context)
    if as_json:
        output.print_json(output_issues.issue_to_dict(done.issue) | {"ended": done.cancelled})
    else:
        click.echo(_format_retraction(done))
    return output.print_report(config, done.report, as_json=as_json)


def _format_retraction(done: "RetractionReport") -> str:
    name = f"{done.issue.newsletter} {done.issue.number}"
    if done.issue.retracted_at is None:
        return f"{name} is no longer retracted"
    more = f"; {format_count(done.cancelled, 'delivery was', 'deliveries were')} not sent" if done.cancelled else ""
    return f"{name} is retracted{more}"


@click.command()
@options.CONFIG
@options.JSON
@click.argument("newsletter")
@click.argument("number", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print how many subscribers would get it; send nothing.")
@options.YES
def correct(path: Path, newsletter: str, number: int, file: Path, *, as_json: bool, dry_run: bool, yes: bool) -> int:
    """Send the Markdown in FILE to everyone who got issue NUMBER of NEWSLETTER and is still subscribed."""
    from feeds.jobs.newsletters.correct import send_correction
    from feeds.jobs.options import PublishOptions

    config = options.read_config(path)
    asked = PublishOptions(now=utc_now(), dry_run=dry_run, yes=yes)
    with options.job_context(quiet=as_json) as context:
        report = send_correction(config, newsletter, number, file, asked, context)
    if report is None:
        click.echo("nothing was sent: you answered no", err=as_json)
        return 0
    if not dry_run:
        return output.print_report(config, report, as_json=as_json)
    [due] = report.issues
    if as_json:
        output.print_json(_correction_to_dict(due, number))
    else:
        to = format_count(due.recipients, "recipient")
        click.echo(f"{newsletter} {due.number}, a correction of {number}, would go to {to}")
    return 0


def _correction_to_dict(due: "IssueReport", corrects: int) -> dict[str, Any]:
    return {
        "newsletter": due.newsletter,
        "number": due.number,
        "corrects": corrects,
        "recipients": due.recipients,
        "state": due.state,
    }
