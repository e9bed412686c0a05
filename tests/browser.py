"""Debian's Chromium, and what tests measure in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Read on import, since tests remove FEEDS_* variables.
NODE_MODULES = Path(os.environ.get("FEEDS_NODE_MODULES", "nowhere")).resolve() / "node_modules"
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

#: A script that returns the lowest contrast (WCAG 2.2, 1.4.3) of any visible text, and its element. The text in
#: place of a picture counts where the picture is not there.
CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parse(c).slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (parse(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
  let worst = [99, ''];
  for (const e of document.body.querySelectorAll('*')) {
    const missing = e.tagName === 'IMG' && e.alt && !e.naturalWidth;
    const own = missing || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility({opacityProperty: true})) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 80)];
  }
  return worst;
}"""
SMALLEST_FONT = """() => Math.min(...[...document.body.querySelectorAll('*')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility())
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@contextmanager
def launch() -> Iterator["Browser"]:
    """Yield a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        started.close()


def axe_faults(page: "Page") -> list[tuple[str, str]]:
    """Return the rules of WCAG 2.2, level A and AA, that axe finds broken, each with the HTML of the first element."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", _WCAG)
    return [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]]
