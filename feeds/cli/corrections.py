"""`feeds retract` and `feeds correct`: what is done about an issue that should not have gone out as it did."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli import options, output

if TYPE_CHECKING:
    from feeds.jobs.newsletters.retract import RetractionReport
    from feeds.jobs.report import IssueReport


@click.command()
@options.CONFIG
@options.JSON
@click.argument("newsletter")
@click.argument("number", type=int, required=False)
@click.option("--reason", default="", metavar="TEXT", help="Why, for everybody to read.")
@click.option("--undo", is_flag=True, help="Take the retraction back; what was ended stays so.")
def retract(path: Path, newsletter: str, number: int | None, *, as_json: bool, reason: str, undo: bool) -> int:
    """Send nothing more of issue NUMBER of NEWSLETTER, else the newest, and say on its page and in its feed why."""
    from feeds.jobs.newsletters import retract as job
    from feeds.jobs.report import PublishOptions

    if undo and reason:
        raise click.UsageError("--reason does not go with --undo")
    config = options.read_config(path)
    with options.show_progress(hidden=as_json) as progress:
        wish = PublishOptions(now=options.utc_now(), clock=options.utc_now, feeds_only=True, progress=progress)
        if undo:
            done = job.undo_retraction(config, newsletter, number, wish)
        else:
            done = job.retract_issue(config, newsletter, number, reason, wish)
    if as_json:
        output.print_json(output.issue_to_dict(done.issue) | {"ended": done.ended})
    else:
        click.echo(_done(done))
    return output.print_report(config, done.report, as_json=as_json)


def _done(done: "RetractionReport") -> str:
    name = f"{done.issue.newsletter} {done.issue.number}"
    if done.issue.retracted_at is None:
        return f"{name} is not retracted any more"
    more = f"; {done.ended:,} more readers would have got it and will not" if done.ended else ""
    return f"{name} is retracted{more}"


@click.command()
@options.CONFIG
@options.JSON
@click.argument("newsletter")
@click.argument("number", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say how many would get it.")
@options.YES
def correct(path: Path, newsletter: str, number: int, file: Path, *, as_json: bool, dry_run: bool, yes: bool) -> int:
    """Mail the Markdown in FILE to those who got issue NUMBER of NEWSLETTER and still want it, and to nobody else."""
    from feeds.jobs.newsletters import correct as job
    from feeds.jobs.report import PublishOptions

    config = options.read_config(path)
    with options.show_progress(hidden=as_json) as progress:
        moment = options.utc_now()
        wish = PublishOptions(
            now=moment, clock=options.utc_now, dry_run=dry_run, yes=yes, ask=options.confirm_prompt(), progress=progress
        )
        report = job.send_correction(config, newsletter, number, file, wish)
    if report is None:
        return 0
    if not dry_run:
        return output.print_report(config, report, as_json=as_json)
    [due] = report.issues
    if as_json:
        output.print_json(_due(due, number))
    else:
        click.echo(f"{newsletter} {due.number}, a correction of {number}, would go to {due.recipients:,} recipients")
    return 0


def _due(due: "IssueReport", corrects: int) -> dict[str, Any]:
    return {
        "newsletter": due.newsletter,
        "number": due.number,
        "corrects": corrects,
        "recipients": due.recipients,
        "state": due.state,
    }
