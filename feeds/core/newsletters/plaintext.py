"""Break text into lines for the text part."""

import re

from feeds.core.posts.text import display_width

#: Characters that must not begin a line (kinsoku shori, JIS X 4051): closing marks, small kana, the long vowel mark.
_NOT_AT_START = "、。，．・：；？！」』）】〕〉》］｝ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々"
#: Characters that must not end a line.
_NOT_AT_END = "「『（【〔〈《［｛"
#: In a script with spaces between words, their average length is below this, in cells.
_MAX_AVERAGE_WORD = 12
#: Cells in a line of the text part: a reply that quotes it needs no new line breaks.
WIDTH = 72
#: One wide character, a run of characters that are neither wide nor spaces, or a run of spaces.
_PIECE = re.compile(
    r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffe6\U0001f000-\U0003fffd]"
    r"|[^\s\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffe6"
    r"\U0001f000-\U0003fffd]+|\s+"
)


class SetText(str):
    """Lines that are set: templates break them no further."""

    __slots__ = ()


def wrap_text(text: str, width: int, indent: str = "") -> str:
    """Return *text* in lines of at most *width* cells; a longer word gets a longer line."""
    if isinstance(text, SetText):
        return text
    lines, line, used = [], "", display_width(indent)
    for piece in _pieces(text):
        if line and used + display_width(piece.rstrip()) > width:
            lines.append(indent + line.rstrip())
            line, used = "", display_width(indent)
            piece = piece.lstrip()  # noqa: PLW2901 - a line does not begin with a space
        line += piece
        used += display_width(piece)
    return "\n".join([*lines, indent + line.rstrip()])


def wrap_paragraph(text: str, width: int) -> str:
    """Return a paragraph in lines of at most *width* cells; in a script without spaces in one line."""
    has_spaces = text.count(" ") * 2 * _MAX_AVERAGE_WORD > display_width(text)
    return wrap_text(text, width) if has_spaces else text


def _pieces(text: str) -> list[str]:
    """Return the parts of *text* between which a line may break; spaces and marks stay with their neighbour."""
    pieces: list[list[str]] = []
    for piece in _PIECE.findall(" ".join(text.split())):
        is_joined = piece.isspace() or piece[0] in _NOT_AT_START or (pieces and pieces[-1][-1][-1] in _NOT_AT_END)
        if pieces and is_joined:
            pieces[-1].append(piece)
        else:
            pieces.append([piece])
    return ["".join(parts) for parts in pieces]
