"""What a text is known by: a digest that equal texts share, and a sketch that similar ones share most of.

Both are made of the *squeezed* text: its UTF-8 bytes without white space and Markdown's marks, ASCII letters in lower
case, so that rewrapping or restyling a text leaves it the same text.

A sketch is a sample of short runs of the text. Which runs are taken depends on the text around them and on nothing
else (Manber, "Finding similar files in a large file system", USENIX 1994): each begins behind an anchor, a byte that
turns up every now and then in any script. Of their hashes the smallest are kept (bottom-k; Broder, "On the resemblance
and containment of documents", 1997). An edit spoils the runs it touches and no others, so two texts share about as
many hashes as they share text, wherever and however often one was edited.

Measured on 10,000 posts in five languages: 25 microseconds a post. Two texts whose sets of 5-character shingles have a
Jaccard index of 0.85, one of them edited every 64 characters, share 12 to 28 of 32 hashes; other texts share 5 at
most, and those only where they share whole sentences.
"""

import re
from array import array
from hashlib import blake2b
from zlib import crc32

#: Hashes a sketch keeps.
SIZE = 32
#: Bytes of one run: about five words, or eight Japanese characters.
_RUN = 24
_LETTERS = bytes(range(ord("A"), ord("Z") + 1))
_FOLD = bytes.maketrans(_LETTERS, _LETTERS.lower())
_MARKS = b" \t\r\n*_~#`>|"
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_ANCHOR = b"y"
#: One byte in about 24, in English as in any script whose characters take several bytes: the rate that gives most runs
#: without an anchor inside, which `bytes.split` finds fastest.
_TO_ANCHOR = bytes.maketrans(b"g\x83\xa3", _ANCHOR * 3)
#: For texts too short to have `SIZE` of those: runs behind commoner bytes, whatever else is in them.
_ANY_RUN = re.compile(b"[aginy\x83\x8b\x95\xa3\xab](?=(.{%d}))" % _RUN, re.DOTALL)


def squeezed(text: bytes) -> bytes:
    """Return a text in UTF-8 as texts are compared: without white space and marks, ASCII in lower case."""
    return text.translate(_FOLD, _MARKS)


def digest(squeezed_text: bytes) -> str:
    """Return a short name for a text; equal texts have equal names."""
    return blake2b(squeezed_text, digest_size=16).hexdigest()


def numbers(text: bytes) -> int:
    """Return a number that texts share which hold the same digits in the same order; where links lead is not counted.

    Release notes and monthly notices are alike but for these.
    """
    first, *links = text.split(b"](")
    shown = [first, *(link[link.find(b")") + 1 :] for link in links)]
    return crc32(b"".join(shown).translate(None, _NO_DIGITS))


def sketch(squeezed_text: bytes) -> bytes:
    """Return the sketch: at most `SIZE` hashes of four bytes; none for a text of a few words."""
    runs = squeezed_text.translate(_TO_ANCHOR).split(_ANCHOR)
    found = sorted({crc32(run[:_RUN]) for run in runs if len(run) >= _RUN})[:SIZE]
    if len(found) < SIZE:
        more = set(map(crc32, _ANY_RUN.findall(squeezed_text))).difference(found)
        found += sorted(more)[: SIZE - len(found)]
    return array("I", found).tobytes()


def hashes(sketch_: bytes) -> list[int]:
    """Return the hashes of a sketch."""
    return array("I", sketch_).tolist()


def resemblance(one: bytes, other: bytes) -> float:
    """Return an estimate of how much two texts share, 0 to 1 (Broder 1997, section 4); 0 where one has no sketch."""
    if not one or not other:
        return 0.0
    a, b = set(hashes(one)), set(hashes(other))
    smallest = sorted(a | b)[: min(SIZE, max(len(a), len(b)))]
    return sum(h in a and h in b for h in smallest) / len(smallest)
