"""All commands, and how an error ends one."""

import os
import sys

import click

from feeds import __version__
from feeds.cli import bounces, corrections, feeds, newsletters, posts, serve, signups, site, status, store, subscribers
from feeds.errors import FeedsError


def run() -> int:
    """Run the command that the arguments name; return the exit code."""
    try:
        return commands(standalone_mode=False) or 0
    except FeedsError as e:
        for line in e.lines:
            click.echo(f"error: {line}", err=True)
        return e.exit_code
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        return 1
    except click.ClickException as e:
        e.show()
        return e.exit_code
    except BrokenPipeError:  # `feeds posts | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="feeds")
def commands() -> None:
    """Turn a folder of Markdown posts into Atom feeds and newsletters."""


for command in (
    site.init,
    site.publish,
    site.run_service,
    serve.serve,
    site.preview,
    site.check,
    posts.posts,
    posts.duplicates,
    posts.tags,
    posts.ids,
    feeds.retire,
    newsletters.issues,
    newsletters.send,
    newsletters.approve,
    newsletters.cancel,
    newsletters.resume,
    corrections.retract,
    corrections.correct,
    status.status,
    subscribers.subscribers,
    signups.signups,
    signups.signup_form,
    bounces.bounces,
    store.store,
):
    commands.add_command(command)
