"""The ready themes of letters: defaults for the keys of `[newsletters.theme]`."""

from collections.abc import Mapping
from typing import Literal

ThemeName = Literal["quiet", "serif", "bold"]

_SERIF = "Georgia, 'Times New Roman', serif"

THEMES: Mapping[ThemeName, Mapping[str, str]] = {
    # The defaults of `feeds.settings.Theme`.
    "quiet": {},
    # Text and headlines with serifs, on white. In Japanese and Chinese `serif` is a Mincho or Song typeface.
    "serif": {
        "paper": "#ffffff",
        "ink": "#221c18",
        "accent": "#7a2e1d",
        "accent_dark": "#e8a48f",
        "font": _SERIF,
        "headline_font": _SERIF,
    },
    # Black on white, with the masthead in the accent colour.
    "bold": {"paper": "#ffffff", "ink": "#111111", "accent": "#a3123a", "accent_dark": "#ff9bb0"},
}
