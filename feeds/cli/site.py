"""Commands about the whole site: `init`, `publish`, `run`, `preview`, `check`."""

import gc
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from feeds.cli import fast_path, options, output, output_posts, serve
from feeds.cli.clock import utc_now
from feeds.display import format_count
from feeds.permalinks import GeneratorName

if TYPE_CHECKING:
    from feeds.jobs.run import Event


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--title", help="The title of your site.")
@click.option("--url", help="The web address of your site.")
@click.option("--posts", metavar="DIR", help="The folder of your posts, below FOLDER.")
@click.option(
    "--generator",
    type=click.Choice(get_args(GeneratorName)),
    help="The site generator; without it, it is recognised by its files.",
)
@click.option(
    "--sample/--no-sample",
    default=False,
    help="Create the sample site, with posts and a newsletter, to try things out. Default: --no-sample.",
)
@click.option("--yes", is_flag=True, help="Write the settings without asking.")
def init(
    folder: Path,
    title: str | None,
    url: str | None,
    posts: str | None,
    generator: GeneratorName | None,
    *,
    sample: bool,
    yes: bool,
) -> int:
    """Create feeds.toml in FOLDER, from the settings of its site generator, or for a folder of posts."""
    from feeds.jobs import init as job

    if sample:
        if title or url or posts or generator:
            raise click.UsageError("--sample cannot be combined with --title, --url, --posts or --generator")
        site, written = job.create_sample(folder)
    else:
        asked = job.InitOptions(title=title, url=url, posts=posts, generator=generator or "auto")
        site = job.plan_site(folder, asked, now=utc_now(), environ=os.environ)
        for line in output.format_plan(site) if site.is_existing else ():
            click.echo(line)
        confirm = None if yes or not site.is_existing else options.confirm_prompt()
        if confirm and not confirm(f"Write {folder / job.CONFIG}?"):
            click.echo("nothing was written")
            return 1
        written = job.create_site(site)
    for line in output.format_new_site(site, written):
        click.echo(line)
    return 0


@click.command()
@options.CONFIG
@options.NOW
@options.JSON
@click.option("--dry-run", is_flag=True, help="Print what would be written and sent; write and send nothing.")
@click.option("--feeds-only", is_flag=True, help="Do not compose or send newsletters.")
@options.NO_CACHE
@options.YES
@click.option("--quiet", is_flag=True, help="Print only errors, and the issues that were sent.")
def publish(
    path: Path,
    now: str | None,
    *,
    as_json: bool,
    dry_run: bool,
    feeds_only: bool,
    no_cache: bool,
    yes: bool,
    quiet: bool,
) -> int:
    """Update feeds and pages, and send the newsletter issues that are due."""
    from feeds.jobs.known_warnings import count_known, select_new
    from feeds.jobs.options import PublishOptions
    from feeds.jobs.publish import publish as job

    started = time.perf_counter()
    environment = fast_path.capture_environment(path)
    config = options.read_config(path)
    asked = PublishOptions(
        now=options.parse_now(config, now),
        dry_run=dry_run,
        feeds_only=feeds_only,
        use_cache=not no_cache,
        yes=yes,
        scan=fast_path.last_scan.get(str(path)),
    )
    with options.job_context(quiet=as_json or quiet) as context:
        report = job(config, asked, context)
    new = select_new(config, report.warnings, use_cache=not no_cache, dry_run=dry_run or quiet)
    has_unprinted = quiet and new != count_known(len(report.warnings))
    fast_path.remember(config, report, asked, environment, now or "", has_unprinted=has_unprinted)
    output.print_diagnostics([*report.errors, *report.alerts], [] if quiet else [*new, *report.later])
    seconds = time.perf_counter() - started
    if as_json:
        output.print_json(output.report_to_dict(report) | {"seconds": round(seconds, 3)})
    elif quiet:
        for line in output.format_issues(config, report, dry_run=dry_run):
            click.echo(line)
    else:
        for line in output.format_report(config, report, dry_run=dry_run):
            click.echo(line)
        click.echo(f"{seconds:.2f} s" + (" (dry run: nothing was written or sent)" if dry_run else ""))
    return report.exit_code


@click.command("run")
@options.CONFIG
@options.JSON
@click.option("--no-web", is_flag=True, help="Do not serve pages and feeds, even if web.url is set.")
@serve.ACCESS_LOG
def run_service(path: Path, *, as_json: bool, no_web: bool, access_log: bool) -> None:
    """Publish, send and serve on a schedule until SIGTERM; log every event."""
    from contextlib import ExitStack

    from feeds.edges.process.signals import on_hangup
    from feeds.jobs.context import Context
    from feeds.jobs.health import Pulse
    from feeds.jobs.run import run_service as job
    from feeds.jobs.store.site_store import refuse_other_site

    gc.enable()  # this command does not end

    def log(event: "Event") -> None:
        at = utc_now().astimezone().isoformat(timespec="seconds")
        if as_json:
            output.print_json(output.event_to_dict(at, event))
        else:
            click.echo(f"{at} {event.text}")

    config, context = options.read_config(path), Context(clock=utc_now)
    refuse_other_site(config)
    pulse = Pulse(next_publish_at=context.clock())  # the first run begins at once
    web = serve.RunServer(config, context, log, pulse, no_web=no_web)
    with ExitStack() as stack:
        stack.enter_context(on_hangup(serve.make_reload(path, web.use_config, web.report_reload)))
        web.start(stack, access_log=access_log)
        job(path, dict(os.environ), context, log, pulse=pulse, use_config=web.follow_config)


@click.command()
@options.CONFIG
@options.NOW
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="The port on 127.0.0.1.")
def preview(path: Path, now: str | None, port: int) -> None:
    """Show the next issue of each newsletter in a browser, on this machine only, until Ctrl-C."""
    from feeds.jobs.preview import Preview
    from feeds.web import preview as web

    config = options.read_config(path)
    moment = None if now is None else options.parse_now(config, now)
    listener = web.listen(port)
    click.echo("http://{}:{}/  (stop with Ctrl-C)".format(*listener.getsockname()))
    web.serve(Preview(path, os.environ, lambda: moment or utc_now()), config.folder, listener)


@click.command()
@options.CONFIG
@options.NOW
@options.JSON
def check(path: Path, now: str | None, *, as_json: bool) -> int:
    """Check posts, config and the next issue of each newsletter for what readers and spam filters would object to."""
    from feeds.jobs.check import run_checks

    config = options.read_config(path)
    with options.job_context(quiet=as_json) as context:
        found = run_checks(config, options.parse_now(config, now), context)
    head = ("level", "where", "what", "what to do")
    output.print_records(found, output_posts.diagnostic_to_dict, head, output_posts.diagnostic_row, as_json=as_json)
    errors = sum(diagnostic.level == "error" for diagnostic in found)
    if not as_json:
        click.echo(f"{format_count(errors, 'error')}, {format_count(len(found) - errors, 'warning')}")
    return 1 if errors else 0
