"""`feeds signups` and `feeds signup-form`: sign-ups that wait for the editor, and the form for a static site."""

import json
from pathlib import Path

import click

from feeds.cli import options
from feeds.cli.output import escape_controls
from feeds.core.subscribers.signup_snippets import PLACES, place_comment
from feeds.display import format_count, format_time

_EMAILS = click.argument("emails", nargs=-1, metavar="[EMAIL]...")
_ALL = click.option("--all", "everything", is_flag=True, help="All that are held.")


@click.group()
def signups() -> None:
    """List, accept and reject the sign-ups that wait for you."""


@signups.command("list")
@options.CONFIG
@options.JSON
def list_signups(path: Path, *, as_json: bool) -> None:
    """List the sign-ups that wait for you, and why."""
    from feeds.jobs.subscribers.held_signups import list_held

    config = options.read_config(path)
    found = list_held(config)
    for one in found:
        at = one.created_at
        if as_json:
            facts = {"email": one.email, "newsletters": one.newsletters, "lang": one.lang, "held": one.held}
            click.echo(json.dumps(facts | {"at": at.isoformat()}, ensure_ascii=False))
        else:
            when = format_time(at, config.settings.site.timezone)
            click.echo(escape_controls(f"{one.email}  {when}  {', '.join(one.newsletters)}  {one.held}"))
    if not (found or as_json):
        click.echo("no sign-up is held")


@signups.command("accept")
@options.CONFIG
@_EMAILS
@_ALL
def accept_signups(path: Path, emails: tuple[str, ...], *, everything: bool) -> None:
    """Send confirmations to sign-ups that are held; their links subscribe them, as always."""
    from feeds.jobs.site import Site
    from feeds.jobs.subscribers.held_signups import accept_held
    from feeds.jobs.subscribers.service_mail import send_service_mails

    _require_choice(emails, everything=everything)
    config = options.read_config(path)
    with options.job_context(quiet=True) as context:
        number = accept_held(config, emails, context)
        report = send_service_mails(Site(config), context)
    click.echo(f"{format_count(number, 'confirmation')} queued, {report.sent} sent now")
    for line in report.errors:
        click.echo(f"error: {line}", err=True)


@signups.command("reject")
@options.CONFIG
@_EMAILS
@_ALL
def reject_signups(path: Path, emails: tuple[str, ...], *, everything: bool) -> None:
    """Delete sign-ups that are held; nothing is sent to them."""
    from feeds.jobs.subscribers.held_signups import reject_held

    _require_choice(emails, everything=everything)
    number = reject_held(options.read_config(path), emails)
    click.echo(f"{format_count(number, 'sign-up')} deleted")


@signups.command("reopen")
@options.CONFIG
def reopen_form(path: Path) -> None:
    """Open the sign-up form again after complaints have closed it; the addresses stay suppressed."""
    from feeds.jobs.subscribers.held_signups import reopen_form as reopen

    number = reopen(options.read_config(path))
    click.echo(f"{format_count(number, 'complaint')} no longer counted")


def _require_choice(emails: tuple[str, ...], *, everything: bool) -> None:
    if bool(emails) == everything:
        raise click.UsageError("name addresses, or write --all")


@click.command("signup-form")
@options.CONFIG
@click.option(
    "--for", "generator", type=click.Choice([*PLACES]), default="html", show_default=True, help="The site generator."
)
@click.option("--newsletter", "newsletters", multiple=True, help="Newsletter that is chosen; can be repeated.")
@click.option("--lang", help="Language of the form. Default: the site's.")
@click.option("--link", "as_link", is_flag=True, help="Print a link to the sign-up page instead of a form.")
def signup_form(path: Path, generator: str, newsletters: tuple[str, ...], lang: str | None, *, as_link: bool) -> None:
    """Print the HTML of a sign-up form to copy into your site."""
    from feeds.jobs.subscribers.signup_snippet import make_snippet

    click.echo(make_snippet(options.read_config(path), newsletters, lang, as_link=as_link), nl=False)
    if comment := place_comment(generator):
        click.echo(comment, err=True)
