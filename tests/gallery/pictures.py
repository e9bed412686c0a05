"""Pictures of letters: on a phone and a desktop, in both schemes, without pictures and without style sheet."""

import html
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.gallery.letters import GalleryLetter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

_STYLES = re.compile(r"<style.*?</style>", re.DOTALL)
#: For pictures of posts that are not here.
_STAND_IN = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect width="1200" height="800" fill="#9db8bd"/>'
    '<path d="M0 800 400 300 700 800ZM500 800 850 450 1200 800Z" fill="#2f5f6e"/></svg>'
)
#: CSS pixels of a letter in one column of a sheet.
_SLICE = 2600
_SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 24px; background: #8a8a8a; font: 700 16px sans-serif; width: max-content }}
div {{ display: flex; gap: 16px; margin-bottom: 24px; align-items: start }} figure {{ margin: 0 }}
i {{ display: block; background-size: 100% auto; background-repeat: no-repeat; margin-top: 8px }}
h1 {{ font-size: 32px; margin: 0 0 16px }}</style><h1>{title}</h1>{body}"""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to look at a letter."""

    width: int
    scheme: Literal["light", "dark"] = "light"
    pictures: bool = True
    style_sheet: bool = True

    @property
    def name(self) -> str:
        """Return the name of its file, such as `375-dark-no-pictures`."""
        flaws = ("" if self.pictures else "-no-pictures", "" if self.style_sheet else "-no-style-sheet")
        return f"{self.width}-{self.scheme}{''.join(flaws)}"


VARIANTS = [
    *(Variant(width=w, scheme=s, pictures=p) for w in (375, 800) for p in (True, False) for s in ("light", "dark")),
    *(Variant(width=w, style_sheet=False) for w in (375, 800)),
]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a picture shows, in CSS pixels."""

    #: How far the letter can be scrolled sideways.
    overflow: int
    height: int
    smallest_font: float
    contrast: float


def open_letter(browser: "Browser", letter: GalleryLetter, variant: Variant, drawings: Path) -> "Page":
    """Return the page of a letter; pictures at `example.com` come from *drawings*, others from one stand-in."""
    viewport = {"width": variant.width, "height": 800}
    context = browser.new_context(viewport=viewport, color_scheme=variant.scheme)

    def answer(route: "Route") -> None:
        file = drawings / route.request.url.rpartition("/")[2]
        if not variant.pictures or route.request.resource_type != "image":
            route.abort()
        elif file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(body=_STAND_IN, content_type="image/svg+xml")

    context.route("http*://**/*", answer)
    page = context.new_page()
    page.set_content(letter.html if variant.style_sheet else _STYLES.sub("", letter.html), wait_until="load")
    return page


def take_pictures(browser: "Browser", letter: GalleryLetter, drawings: Path, folder: Path) -> dict[str, Measure]:
    """Write a picture of each variant and a sheet of all into *folder*; return the measures by variant."""
    from tests.browser import CONTRAST, SMALLEST_FONT

    measures = {}
    for variant in VARIANTS:
        page = open_letter(browser, letter, variant, drawings)
        measures[variant.name] = Measure(
            overflow=max(0, page.evaluate("document.documentElement.scrollWidth") - variant.width),
            height=page.evaluate("document.documentElement.scrollHeight"),
            smallest_font=page.evaluate(SMALLEST_FONT),
            contrast=page.evaluate(CONTRAST)[0],
        )
        page.screenshot(path=folder / f"{variant.name}.png", full_page=True)
        page.context.close()
    rows = [_sheet_row(folder, VARIANTS, measures), *_whole_rows(folder, measures)]
    _write_sheet(browser, letter.name, rows, folder / "sheet.png")
    return measures


def _sheet_row(folder: Path, variants: Sequence[Variant], measures: dict[str, Measure]) -> str:
    """Return the beginning of each variant, side by side."""
    shown = (_slice(folder, v, 0, min(_SLICE, measures[v.name].height), v.name) for v in variants)
    return f"<div>{''.join(shown)}</div>"


def _whole_rows(folder: Path, measures: dict[str, Measure]) -> Iterator[str]:
    """Yield the rest of a letter on a phone and on a desktop, cut into columns."""
    for variant in (Variant(width=375), Variant(width=800)):
        height = measures[variant.name].height
        starts = range(_SLICE, height, _SLICE)
        cut = (_slice(folder, variant, y, min(_SLICE, height - y), f"{variant.name}, from {y}") for y in starts)
        yield f"<div>{''.join(cut)}</div>"


def _slice(folder: Path, variant: Variant, top: int, height: int, caption: str) -> str:
    data = b64encode((folder / f"{variant.name}.png").read_bytes()).decode()
    style = f"width:{variant.width}px;height:{height}px;background-position:0 -{top}px"
    image = f"background-image:url(data:image/png;base64,{data})"
    return f'<figure>{html.escape(caption)}<i style="{style};{image}"></i></figure>'


def _write_sheet(browser: "Browser", title: str, rows: Sequence[str], file: Path) -> None:
    context = browser.new_context(viewport={"width": 6200, "height": 800}, device_scale_factor=0.5)
    page = context.new_page()
    page.set_content(_SHEET.format(title=html.escape(title), body="".join(rows)))
    page.screenshot(path=file, full_page=True)
    context.close()
