"""Lines for the text part."""

import re

from feeds.core.posts.text import display_width

#: Must not begin a line (kinsoku shori, JIS X 4051): closing marks, small kana, the long vowel mark.
_NOT_FIRST = "、。，．・：；？！」』）】〕〉》］｝ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々"
#: Must not end one.
_NOT_LAST = "「『（【〔〈《［｛"
#: On average, in cells, in a script that puts spaces between words.
_LONGEST_WORD = 12
#: What may not be divided: a run without spaces and wide characters, or one wide character; each with its space.
_PIECE = re.compile(
    r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffe6\U0001f000-\U0003fffd]"
    r"|[^\s\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffe6"
    r"\U0001f000-\U0003fffd]+|\s+"
)


def wrap_text(text: str, width: int, indent: str = "") -> str:
    """Return *text* in lines of at most *width* cells; what cannot be divided stands over."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and display_width(indent + line + piece.rstrip()) > width:
            lines.append(indent + line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return "\n".join([*lines, indent + line.rstrip()])


def wrap_paragraph(text: str, width: int) -> str:
    """Return a paragraph of a whole post: in lines, but in a script without spaces as one, which any program can break.

    SpamAssassin takes each line of such a text for a word, finds three times as many words as in the HTML, where a
    paragraph is one, and takes the letter for two letters (MPART_ALT_DIFF_COUNT).
    """
    has_spaces = text.count(" ") * 2 * _LONGEST_WORD > display_width(text)
    return wrap_text(text, width) if has_spaces else text


def _pieces(text: str) -> list[str]:
    """Return what a line may hold or leave to the next one; marks stick to the character they belong to."""
    found: list[str] = []
    for piece in _PIECE.findall(" ".join(text.split())):
        sticks = piece.isspace() or piece[0] in _NOT_FIRST or (found and found[-1][-1] in _NOT_LAST)
        if found and sticks:
            found[-1] += piece
        else:
            found.append(piece)
    return found
