"""Commands about feeds: `retire`."""

from pathlib import Path

import click

from feeds.cli import options, output


@click.command()
@options.CONFIG
@options.JSON
@click.argument("feed", metavar="PATH")
@click.option("--undo", is_flag=True, help="Bring a retired feed back.")
def retire(path: Path, feed: str, *, as_json: bool, undo: bool) -> int:
    """Remove the feed in the folder PATH, such as category/notes, or one document of it, such as tag/old/rss.xml.

    Its files are deleted, and the redirect files answer HTTP 410 (gone) for them. All feeds are updated as well.
    """
    from feeds.jobs.feeds import retire as job

    config = options.read_config(path)
    change = job.unretire_feed if undo else job.retire_feed
    with options.job_context(quiet=as_json) as context:
        report = change(config, feed, context)
    return output.print_report(config, report, as_json=as_json)
