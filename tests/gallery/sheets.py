"""Sheets: many pictures of letters in one, for people to look at."""

import html
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gallery.pictures import VARIANTS, Measure, Variant

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: CSS pixels of a letter in one column of a sheet.
_SLICE = 2600
_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #8a8a8a; font: 700 16px sans-serif; width: max-content }}
main {{ padding: 24px; width: max-content }}
div {{ display: flex; gap: 24px; margin-bottom: 24px; align-items: start }} div:last-child {{ margin: 0 }}
figure {{ margin: 0 }} h1 {{ font-size: 32px; margin: 0 0 16px }}
i {{ display: block; background-size: 100% auto; background-repeat: no-repeat; margin-top: 8px }}
</style><main>{body}</main>"""
#: The letters of the picture in docs/letters.md: name, variant, and where it begins in CSS pixels.
_BEST = (
    ("en-digest", Variant(width=375), 0),
    ("en-letter", Variant(width=375, scheme="dark"), 0),
    ("ja-digest", Variant(width=375), 0),
    ("zh-Hans-letter", Variant(width=375), 900),
    ("ar-digest", Variant(width=375, scheme="dark"), 0),
    ("fa-letter", Variant(width=375), 900),
    ("de-letter", Variant(width=375, pictures=False), 0),
    ("ko-letter", Variant(width=375, scheme="dark"), 900),
    ("hi-digest", Variant(width=375), 0),
    ("he-letter", Variant(width=375), 0),
    ("pt-BR-digest", Variant(width=375, style_sheet=False), 0),
    ("ja-letter", Variant(width=375), 1800),
)
_BEST_HEIGHT = 812
#: Milliseconds: a sheet of a very long letter takes a busy machine more than Playwright's half a minute.
_TIMEOUT = 300_000


def write_sheet(browser: "Browser", measures: dict[str, Measure], folder: Path) -> None:
    """Write `sheet.png` in *folder*: the beginning of each variant, then the rest on a phone and on a desktop."""
    shown = (_slice(folder, one, 0, min(_SLICE, measures[one.name].height), one.name) for one in VARIANTS)
    rest = (_rest(folder, Variant(width=width), measures) for width in (375, 800))
    rows = [f"<h1>{html.escape(folder.name)}</h1>", *(f"<div>{''.join(row)}</div>" for row in (shown, *rest))]
    page = _open(browser, rows, folder, scale=0.5)
    page.locator("main").screenshot(path=folder / "sheet.png")
    page.context.close()


def write_best(browser: "Browser", folder: Path, file: Path) -> None:
    """Write twelve letters of those below *folder* as one WebP *file*."""
    cut = [_slice(folder / name, variant, top, _BEST_HEIGHT, "") for name, variant, top in _BEST]
    page = _open(browser, [f"<div>{''.join(cut[:6])}</div>", f"<div>{''.join(cut[6:])}</div>"], folder, scale=0.6)
    size = page.locator("main").bounding_box()
    clip = {key: size[key] for key in ("x", "y", "width", "height")} | {"scale": 1}
    wanted = {"format": "webp", "quality": 80, "clip": clip, "captureBeyondViewport": True}
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", wanted)
    file.write_bytes(b64decode(taken["data"]))
    page.context.close()


def _rest(folder: Path, variant: Variant, measures: dict[str, Measure]) -> Iterator[str]:
    """Yield the rest of a letter, after the first row, cut into columns."""
    height = measures[variant.name].height
    for top in range(_SLICE, height, _SLICE):
        yield _slice(folder, variant, top, min(_SLICE, height - top), f"{variant.name}, from {top}")


def _slice(folder: Path, variant: Variant, top: int, height: int, caption: str) -> str:
    address = (folder / f"{variant.name}.png").resolve().as_uri()
    style = f"width:{variant.width}px;height:{height}px;background-position:0 -{top}px"
    image = f"background-image:url({address})"
    return f'<figure>{html.escape(caption)}<i style="{style};{image}"></i></figure>'


def _open(browser: "Browser", rows: Sequence[str], folder: Path, *, scale: float) -> "Page":
    """Return a page with *rows*; it is a file in *folder*, since only files may show pictures that are files."""
    context = browser.new_context(viewport={"width": 6400, "height": 800}, device_scale_factor=scale)
    context.set_default_timeout(_TIMEOUT)
    page = context.new_page()
    file = folder / "sheet.html"
    file.write_text(_PAGE.format(body="".join(rows)), "utf-8")
    page.goto(file.resolve().as_uri())
    file.unlink()
    return page
