"""Draw the share picture of an issue as a PNG.

A text is drawn only if a font has all its characters: Pillow's own font, which is the same on every machine, else one
of this machine. Without such a font the picture has its colours and the other texts.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import bidirectional, category

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

#: Pixels: the space around the texts, and the width of the band in the accent colour.
_SPACE, _BAND = 88, 24
#: The sizes of the headline that are tried, in pixels, and the height of a line in sizes.
_HEADLINE_SIZES = (84, 72, 64, 56, 48, 40)
_LINE = 1.25
_HEADLINE_HEIGHT = 330
_TITLE_SIZE, _FACTS_SIZE = 40, 30
#: A font that is not bold is drawn with a line around it, this part of its size.
_BOLDER = 60
#: Enough for the edges of letters in three colours.
_COLOURS = 64
#: Where systems keep fonts (https://specifications.freedesktop.org/basedir-spec/, Apple's TN2024), and the files that
#: are looked for, the first that has the characters: names of families that cover many scripts, in their bold face.
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
_FONT_NAMES = (
    *("NotoSans-Bold", "DejaVuSans-Bold", "NotoSansCJK-Bold", "NotoSansCJKjp-Bold", "NotoSansJP-Bold"),
    *("NotoSansArabic-Bold", "NotoNaskhArabic-Bold", "NotoSansHebrew-Bold", "NotoSansDevanagari-Bold"),
    *("Lohit-Devanagari", "NotoSansThai-Bold", "LiberationSans-Bold", "ipaexg", "wqy-microhei"),
)
_FONT_ENDINGS = (".ttf", ".otf", ".ttc")
#: The place of a language's face in Noto's collections of fonts for Chinese, Japanese and Korean.
_CJK_FACES = {"ko": 1, "zh": 2, "zh-hans": 2, "zh-hant": 3, "zh-tw": 3, "zh-hk": 4}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareCard:
    """The texts and colours of a share picture."""

    #: Width and height in pixels.
    size: tuple[int, int]
    #: Colours (`#rrggbb`).
    paper: str
    ink: str
    muted: str
    accent: str
    title: str
    headline: str
    facts: tuple[str, ...]
    #: Between two facts.
    separator: str
    lang: str
    #: `ltr` or `rtl`.
    direction: str


@lru_cache(maxsize=32)
def draw_card(card: ShareCard, wrap: Callable[[str, int], str]) -> bytes:
    """Return the picture as PNG; *wrap* breaks a text into lines of so many cells.

    The last ones are kept: for a process that writes the page of an issue again, drawing would take most of the time.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", card.size, card.paper)
    pen = _Pen(ImageDraw.Draw(image), card)
    pen.band()
    pen.line(card.title, _SPACE, _TITLE_SIZE, card.accent)
    pen.headline(wrap)
    bottom = card.size[1] - _SPACE - _FACTS_SIZE
    pen.line(f" {card.separator} ".join(card.facts), bottom, _FACTS_SIZE, card.muted)
    file = BytesIO()
    image.quantize(_COLOURS).save(file, "PNG")
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws on one picture."""

    draw: "ImageDraw"
    card: ShareCard

    def band(self) -> None:
        """Draw the band in the accent colour, at the side where lines start."""
        width, height = self.card.size
        left = width - _BAND if self._is_rtl else 0
        self.draw.rectangle((left, 0, left + _BAND - 1, height - 1), fill=self.card.accent)

    def line(self, text: str, top: float, size: int, colour: str) -> None:
        """Draw one line of text, made smaller if it is too long; nothing if no font has its characters."""
        font = _find_font(text, self.card.lang, size)
        if font is not None:
            width = font.getlength(text)
            shown = font.font_variant(size=int(size * self._width / width)) if width > self._width else font
            self._write(text, top, shown, colour)

    def headline(self, wrap: Callable[[str, int], str]) -> None:
        """Draw the headline in lines, as large as it fits; nothing if no font has its characters."""
        largest = _find_font(self.card.headline, self.card.lang, _HEADLINE_SIZES[0])
        if largest is None:
            return
        font, lines = self._fit(largest, wrap)
        step = font.size * _LINE
        top = _SPACE + _TITLE_SIZE * 1.6
        for number, line in enumerate(lines[: int(_HEADLINE_HEIGHT / step)]):
            self._write(line, top + number * step, font, self.card.ink)

    def _fit(self, font: "FreeTypeFont", wrap: Callable[[str, int], str]) -> tuple["FreeTypeFont", Sequence[str]]:
        """Return the largest font in which the headline fits, and its lines; the smallest if it fits in none."""
        lines: list[str] = []
        for size in _HEADLINE_SIZES:
            font = font.font_variant(size=size)
            lines = self._lines(font, wrap)
            fits = all(font.getlength(line) <= self._width for line in lines)
            if fits and len(lines) * size * _LINE <= _HEADLINE_HEIGHT:
                break
        return font, lines

    def _lines(self, font: "FreeTypeFont", wrap: Callable[[str, int], str]) -> list[str]:
        """Return the headline in lines that are as long as they may be."""
        widest = int(self._width / (font.size / 2))  # a cell is half as wide as a character of Chinese or Japanese
        texts = (wrap(self.card.headline, cells).split("\n") for cells in range(widest + 8, widest // 2, -1))
        fitting = next((t for t in texts if all(font.getlength(one) <= self._width for one in t)), None)
        return fitting or self._broken_lines(font, wrap(self.card.headline, widest).split("\n"))

    def _broken_lines(self, font: "FreeTypeFont", lines: Sequence[str]) -> list[str]:
        """Return *lines* of which those with a word that is too long are broken anywhere."""
        broken = []
        for line in lines:
            rest = line
            while rest:
                end = next((n for n in range(len(rest), 1, -1) if font.getlength(rest[:n]) <= self._width), 1)
                broken.append(rest[:end])
                rest = rest[end:]
        return broken

    def _write(self, text: str, top: float, font: "FreeTypeFont", colour: str) -> None:
        side, anchor = (self.card.size[0] - _SPACE, "ra") if self._is_rtl else (_SPACE, "la")
        direction = self.card.direction if _shapes(font) else None
        thickness = 0 if "Bold" in str(font.getname()[1]) else font.size / _BOLDER
        self.draw.text(
            (side, top), text, colour, font, anchor, direction=direction, stroke_width=thickness, stroke_fill=colour
        )

    @property
    def _is_rtl(self) -> bool:
        return self.card.direction == "rtl"

    @property
    def _width(self) -> int:
        return self.card.size[0] - 2 * _SPACE


# Fonts --------------------------------------------------------------------------------------------------------------


def _find_font(text: str, lang: str, size: int) -> "FreeTypeFont | None":
    """Return a font that has all characters of *text*; None if there is none, or the text cannot be shaped."""
    is_simple = not _needs_shaping(text)
    fonts = (font for font in _fonts(lang, size) if is_simple or _shapes(font))
    return next((font for font in fonts if text and _has_characters(font, text)), None)


def _fonts(lang: str, size: int) -> Iterator["FreeTypeFont"]:
    from PIL import ImageFont

    own = ImageFont.load_default(size)
    if isinstance(own, ImageFont.FreeTypeFont):
        yield own
    for path in _font_files():
        face = _CJK_FACES.get(lang.lower(), _CJK_FACES.get(lang.split("-", maxsplit=1)[0], 0))
        for index in dict.fromkeys((face if path.endswith(".ttc") else 0, 0)):
            try:
                yield ImageFont.truetype(path, size, index=index)
                break
            except OSError:  # no such face in the file, or a damaged file
                continue


@cache
def _font_files() -> tuple[str, ...]:
    """Return the paths of known fonts, in the order in which they are preferred."""
    found: dict[str, str] = {}
    for folder in _FONT_FOLDERS:
        for place, folders, names in os.walk(Path(folder).expanduser()):
            folders.sort()
            found |= {Path(name).stem: f"{place}/{name}" for name in sorted(names) if name.endswith(_FONT_ENDINGS)}
    return tuple(found[name] for name in _FONT_NAMES if name in found)


def _has_characters(font: "FreeTypeFont", text: str) -> bool:
    """Return whether a font has a glyph for each visible character: others look like the box for a missing one."""
    missing = bytes(font.getmask("\U0010fffd"))
    return all(
        bytes(font.getmask(character)) != missing
        for character in set(text)
        if not character.isspace() and category(character) not in {"Cf", "Mn", "Me"}
    )


def _needs_shaping(text: str) -> bool:
    """Return whether glyphs depend on their neighbours: in scripts from right to left, and with combining marks."""
    return any(bidirectional(one) in {"R", "AL"} or category(one).startswith("M") for one in text)


def _shapes(font: "FreeTypeFont") -> bool:
    """Return whether Pillow shapes the texts of a font (libraqm), which it does not do for its own."""
    from PIL import ImageFont

    return font.layout_engine == ImageFont.Layout.RAQM
