"""The colours of a letter in both schemes, from those of its theme."""

from collections.abc import Mapping
from dataclasses import dataclass

from feeds.core.curation.taxonomy import normalize_name
from feeds.settings import Theme

#: WCAG 2.2, 1.4.3: text of normal size.
MIN_CONTRAST = 4.5
#: The parts of ink that make tint, rule and muted on another paper; with these, muted has 6 : 1 for black on white.
_TINT, _RULE, _MUTED = 0.05, 0.13, 0.68
_STEPS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """The colours of a letter in one scheme (`#rrggbb`)."""

    paper: str
    #: The background of code and of pictures that are not loaded.
    tint: str
    ink: str
    #: For text that is less important.
    muted: str
    #: For lines.
    rule: str
    #: For links and the button.
    accent: str
    #: The background of the masthead, its title, and the rest of its text.
    masthead: str
    masthead_ink: str
    masthead_muted: str
    #: For the names of categories, by normalised name.
    categories: Mapping[str, str]

    def category(self, *names: str) -> str:
        """Return the colour of a category by one of its names; the accent if the theme has none for it."""
        found = (self.categories.get(normalize_name(name)) for name in names)
        return next(filter(None, found), self.accent)


def light_palette(theme: Theme) -> Palette:
    """Return the colours of a letter on its paper."""
    paper, ink = theme.paper, theme.ink
    is_default = (paper, ink) == (Theme().paper, Theme().ink)
    tint, rule, muted = (
        ("#f5f1e8", "#e4ded3", "#5f5a52")
        if is_default
        else (mix_colours(paper, ink, part) for part in (_TINT, _RULE, _MUTED))
    )
    is_bold = theme.name == "bold"
    return Palette(
        paper=paper,
        tint=tint,
        ink=ink,
        muted=muted,
        rule=rule,
        accent=theme.accent,
        masthead=theme.accent if is_bold else tint,
        masthead_ink=paper if is_bold else ink,
        masthead_muted=paper if is_bold else muted,
        categories={normalize_name(name): colour for name, colour in theme.categories.items()},
    )


def dark_palette(theme: Theme) -> Palette:
    """Return the colours of a letter in a dark scheme; those of categories are made lighter until they are legible."""
    paper, tint, ink, muted = "#171614", "#211f1c", "#ebe7df", "#aaa398"
    categories = {normalize_name(name): _lighten(colour, tint) for name, colour in theme.categories.items()}
    return Palette(
        paper=paper,
        tint=tint,
        ink=ink,
        muted=muted,
        rule="#38342e",
        accent=theme.accent_dark,
        masthead=tint,
        masthead_ink=ink,
        masthead_muted=muted,
        categories=categories,
    )


def _lighten(colour: str, background: str) -> str:
    """Return the first mixture of *colour* with white that is legible on a dark *background*."""
    mixtures = (mix_colours(colour, "#ffffff", step / _STEPS) for step in range(_STEPS + 1))
    return next(mixture for mixture in mixtures if contrast_ratio(mixture, background) >= MIN_CONTRAST)


def mix_colours(one: str, other: str, part: float) -> str:
    """Return a colour (`#rrggbb`) that is *one* with this *part* of the *other*, 0 to 1."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (`#rrggbb`), 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_relative_luminance(one), _relative_luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _relative_luminance(colour: str) -> float:
    channels = (value / 255 for value in _channels(colour))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004 - sRGB's numbers
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
