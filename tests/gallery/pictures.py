"""Pictures of letters: on a phone and a desktop, in both schemes, without pictures and without style sheet."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.browser import CONTRAST, SMALLEST_FONT
from tests.gallery.letters import GalleryLetter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

_STYLES = re.compile(r"<style.*?</style>", re.DOTALL)
#: For pictures of posts that are not here.
_STAND_IN = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect width="1200" height="800" fill="#9db8bd"/>'
    '<path d="M0 800 400 300 700 800ZM500 800 850 450 1200 800Z" fill="#2f5f6e"/></svg>'
)


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
    """Sizes in one picture, in CSS pixels, and its lowest contrast."""

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
    """Write a picture of each variant into *folder*; return the measures by variant."""
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
    return measures
