"""Make the letters of the gallery, pictures of them, and a table of what other programs say about them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.browser import launch
from tests.gallery import checks
from tests.gallery.letters import LANGUAGES, POSTS, GalleryLetter, publish_letters
from tests.gallery.pictures import Measure, take_pictures
from tests.gallery.sheets import write_best, write_sheet

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_HEAD = ("letter", "HTML bytes", "text bytes", "SpamAssassin", "axe", "vnu", "html-validate", "sideways px")
_HEAD += ("smallest font", "lowest contrast", "height at 375")


@dataclass(frozen=True)
class Verdict:
    """All that was found out about one letter."""

    letter: GalleryLetter
    #: By the name of the variant.
    measures: dict[str, Measure]
    spam: checks.Spam | None
    #: By the name of the program; empty if none was asked.
    faults: dict[str, checks.Faults]

    @property
    def row(self) -> Sequence[object]:
        """Return the cells below `_HEAD`."""
        size = (len(self.letter.html.encode()), len(self.letter.text.encode()))
        spam = "-" if self.spam is None else f"{self.spam.score:.1f}"
        asked = (self.faults.get(program) for program in ("axe", "vnu", "html-validate"))
        faults = ("-" if found is None else found.total() for found in asked)
        seen = self.measures.values()
        looks = (max(one.overflow for one in seen), min(one.smallest_font for one in seen))
        contrast = min(one.contrast for one in seen)
        height = self.measures["375-light"].height
        return (self.letter.name, *size, spam, *faults, *looks, f"{contrast:.1f}", height)

    def details(self) -> str:
        """Return a section for the report: the rules and messages, each with the number of its places."""
        rules = ", ".join(self.spam.rules) if self.spam else ""
        lines = [f"## {self.letter.name}", "", f"SpamAssassin: {rules}"]
        for program, found in self.faults.items():
            lines += [f"{program}, {number} x: {message}" for message, number in (found or {}).items()]
        wide = [f"{name}: {one.overflow} px wider" for name, one in self.measures.items() if one.overflow]
        return "\n".join([*lines, *wide, ""])


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--posts",
    "folders",
    type=(click.Choice(LANGUAGES), click.Path(path_type=Path, exists=True, file_okay=False)),
    multiple=True,
    metavar="LANG FOLDER",
    help="Also make letters from the posts in FOLDER, which are in LANG.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Only sites whose name begins with NAME, such as `ja`.")
@click.option("--no-checks", is_flag=True, help="Only letters and pictures; no other program judges them.")
@click.option("--best", type=click.Path(path_type=Path, dir_okay=False), help="Write twelve letters as one WebP file.")
def main(
    out: Path, folders: Sequence[tuple[str, Path]], only: Sequence[str], best: Path | None, *, no_checks: bool
) -> None:
    """Write each letter, its parts, its pictures and a sheet of them into OUT/<letter>/, and a table into OUT/table.md.

    SpamAssassin, Java and Node are used where they are installed; FEEDS_NODE_MODULES names the folder in which npm has
    installed axe-core, vnu-jar and html-validate.
    """
    with tempfile.TemporaryDirectory() as scratch, launch() as browser:
        letters = _publish_all(Path(scratch), folders, only)
        if not letters:
            raise click.UsageError(f"no site has a name that begins with {' or '.join(only)}")
        _write_letters(out, letters)
        drawings = next(Path(scratch).glob("*/static/pictures"))
        measures = {letter.name: _show(browser, letter, drawings, out / letter.name) for letter in letters}
        found = {} if no_checks else _check_all(browser, out, letters, drawings)
        if best is not None:
            write_best(browser, out, best)
    _write_table(
        out, [Verdict(letter, measures[letter.name], *found.get(letter.name, (None, {}))) for letter in letters]
    )


def _publish_all(scratch: Path, folders: Sequence[tuple[str, Path]], only: Sequence[str]) -> list[GalleryLetter]:
    own = [(lang, lang, POSTS / lang) for lang in LANGUAGES]
    sites = [*own, *((f"{lang}-{_site_name(posts)}", lang, posts) for lang, posts in folders)]
    chosen = [site for site in sites if site[0].startswith(tuple(only) or "")]
    return [letter for name, lang, posts in chosen for letter in publish_letters(name, lang, posts, scratch / name)]


def _site_name(posts: Path) -> str:
    """Return the first folder of the path to *posts* that differs from one site to another."""
    generic = {"content", "news", "blog", "_posts", "website", "posts"}
    return next(name for name in reversed(posts.resolve().parts) if name not in generic)


def _write_letters(out: Path, letters: Sequence[GalleryLetter]) -> None:
    for letter in letters:
        folder = out / letter.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "letter.eml").write_bytes(letter.raw)
        (folder / "letter.html").write_text(letter.html, "utf-8")
        (folder / "letter.txt").write_text(letter.text, "utf-8")


def _show(browser: "Browser", letter: GalleryLetter, drawings: Path, folder: Path) -> dict[str, Measure]:
    click.echo(letter.name, err=True)
    measures = take_pictures(browser, letter, drawings, folder)
    write_sheet(browser, measures, folder)
    return measures


def _check_all(
    browser: "Browser", out: Path, letters: Sequence[GalleryLetter], drawings: Path
) -> dict[str, tuple[checks.Spam | None, dict[str, checks.Faults]]]:
    """Return the result of SpamAssassin and the faults by program, by the name of the letter."""
    folders = [out / letter.name for letter in letters]
    vnu, html_validate = checks.ask_vnu(folders), checks.ask_html_validate(folders)
    with tempfile.TemporaryDirectory() as home:
        return {
            one.name: (
                checks.ask_spamassassin(one, Path(home)),
                {
                    "axe": checks.ask_axe(browser, one, drawings),
                    "vnu": vnu[one.name],
                    "html-validate": html_validate[one.name],
                },
            )
            for one in letters
        }


def _write_table(out: Path, verdicts: Sequence[Verdict]) -> None:
    rows = [_HEAD, ["---"] + ["---:"] * (len(_HEAD) - 1), *(verdict.row for verdict in verdicts)]
    table = "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
    (out / "table.md").write_text(f"{table}\n\n" + "\n".join(one.details() for one in verdicts), "utf-8")
    click.echo(table)


if __name__ == "__main__":
    main()
