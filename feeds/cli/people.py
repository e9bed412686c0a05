"""`feeds subscribers`: people, each word a job to do."""

from pathlib import Path

import click

from feeds.cli import telling, words


@click.group()
def subscribers() -> None:
    """People: add, remove, list."""


@subscribers.command("add")
@words.CONFIG
@click.argument("email")
@click.option("--newsletter", "newsletters", multiple=True, help="Which newsletter; may be given again. Default: all.")
@click.option("--topic", "topics", multiple=True, help="A category they want; may be given again. Default: all.")
@click.option("--lang", help="Their language, such as en or ja.")
@click.option("--again", is_flag=True, help="Bring somebody back who has left; only when they asked for it.")
def add_subscriber(
    path: Path, email: str, newsletters: tuple[str, ...], topics: tuple[str, ...], lang: str | None, *, again: bool
) -> None:
    """Make EMAIL an active reader."""
    from feeds.jobs import subscribe

    config = words.config(path)
    found = subscribe.add(config, email, newsletters, topics=topics, lang=lang, now=words.clock(), again=again)
    click.echo(f"{found.email} is {found.status}: {', '.join(found.newsletters)}")


@subscribers.command("remove")
@words.CONFIG
@click.argument("email")
def remove_subscriber(path: Path, email: str) -> None:
    """Write down that EMAIL has left; no more letters go there."""
    from feeds.jobs import subscribe

    known = subscribe.remove(words.config(path), email, words.clock())
    click.echo(f"{email} gets no more letters" if known else f"{email} was not subscribed")


@subscribers.command("list")
@words.CONFIG
@words.JSON
def list_subscribers(path: Path, *, as_json: bool) -> None:
    """List people and how they stand."""
    from feeds.jobs import subscribe

    found = subscribe.everybody(words.config(path))
    head = ("email", "status", "language", "newsletters")
    telling.tell(found, telling.person, head, telling.person_row, as_json=as_json)
