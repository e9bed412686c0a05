"""Commands about newsletter issues: `issues`, `send`, `approve`, `cancel`, `resume`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.cli import options, output, output_issues
from feeds.cli.clock import utc_now

if TYPE_CHECKING:
    from feeds.config import Config


@click.command()
@options.CONFIG
@options.JSON
@click.argument("number", type=int, required=False)
@click.option("--newsletter", help="The newsletter, if several have an issue of this number.")
@click.option(
    "--recipients",
    is_flag=True,
    help="List the recipients of issue NUMBER: when it was sent, what the server answered.",
)
def issues(path: Path, number: int | None, newsletter: str | None, *, recipients: bool, as_json: bool) -> None:
    """List the issues of every newsletter, or the recipients of issue NUMBER."""
    from feeds.jobs.newsletters import status

    config = options.read_config(path)
    zone = config.settings.site.timezone
    if (number is None) == recipients:
        raise click.UsageError("NUMBER and --recipients need each other: feeds issues 12 --recipients")
    if number is not None:
        results = list(status.issue_recipients(config, newsletter, number))
        head: tuple[str, ...] = ("recipient", "language", "state", "sent", "answer")
        to_row = partial(output_issues.delivery_row, zone=zone)
        output.print_records(results, output_issues.delivery_to_dict, head, to_row, as_json=as_json)
        return
    found = status.list_issues(config)
    head = ("newsletter", "number", "slot", "state", "sent", "subject")
    to_row = partial(output_issues.issue_row, zone=zone)
    output.print_records(found, output_issues.issue_to_dict, head, to_row, as_json=as_json)
    if not as_json:
        print_outlooks(config)


def print_outlooks(config: "Config") -> None:
    """Print what each newsletter sends next."""
    from feeds.jobs.newsletters.foresee import load_outlooks

    with options.job_context(quiet=False) as context:
        found = load_outlooks(config, utc_now(), context)
    for line in output.outlook_lines(config, found):
        click.echo(line)


@click.command()
@options.CONFIG
@options.NOW
@options.JSON
@click.argument("newsletter")
@click.option(
    "--test", metavar="ADDRESS", help="Send the issue to ADDRESS only, as a test; nothing is stored or counted as sent."
)
@options.YES
def send(path: Path, now: str | None, newsletter: str, *, as_json: bool, test: str | None, yes: bool) -> int:
    """Compose and send an issue of NEWSLETTER now, whatever its schedule says. Approval is still needed."""
    config = options.read_config(path)
    moment = options.parse_now(config, now)
    with options.job_context(quiet=as_json) as context:
        if test is not None:
            from feeds.jobs.newsletters.send_test import send_test

            output_issues.print_sent_test(send_test(config, newsletter, test, moment, context), as_json=as_json)
            return 0
        from feeds.jobs.newsletters.send_now import send_now

        report = send_now(config, newsletter, moment, context, yes=yes)
    return output.print_report(config, report, as_json=as_json)


@click.command()
@options.CONFIG
@options.JSON
@click.argument("newsletter")
def approve(path: Path, newsletter: str, *, as_json: bool) -> int:
    """Send the issue of NEWSLETTER that waits for approval. Feeds are updated as well."""
    from feeds.jobs.newsletters.approve import approve_issue

    config = options.read_config(path)
    with options.job_context(quiet=as_json) as context:
        report = approve_issue(config, newsletter, context)
    return output.print_report(config, report, as_json=as_json)


@click.command()
@options.CONFIG
@click.argument("newsletter")
def cancel(path: Path, newsletter: str) -> None:
    """Discard the issue of NEWSLETTER that waits for approval, or stop sending the one that is being sent."""
    from feeds.jobs.newsletters.resume import cancel_issue

    click.echo(cancel_issue(options.read_config(path), newsletter))


@click.command()
@options.CONFIG
@options.JSON
@click.argument("newsletter", required=False)
def resume(path: Path, newsletter: str | None, *, as_json: bool) -> int:
    """Resume sending now: waiting, held and halted issues of NEWSLETTER, or of all newsletters."""
    from feeds.jobs.newsletters.resume import resume_sending

    config = options.read_config(path)
    with options.job_context(quiet=as_json) as context:
        report = resume_sending(config, newsletter, context)
    return output.print_report(config, report, as_json=as_json)
