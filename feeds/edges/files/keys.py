"""The site's own secret keys: a small file beside the store, made on first use.

Each purpose has keys of its own, with numbers, so that one can be replaced and what older ones have signed still holds:
the highest number signs, all of them verify.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from feeds.edges.files.write_files import create_file
from feeds.errors import FeedsError

_BYTES = 32
_MOST = 255
_PURPOSES = ("leave", "suppress")
_HEAD = """\
# The keys of this site. `leave` signs the links by which readers unsubscribe; `suppress` hides the addresses of people
# who were erased and must not be written to. Whoever has them can end subscriptions, so keep them secret; whoever
# loses them cannot verify links in letters that are out, so keep them with the store's backup. To replace one, add a
# line with the next number.
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by purpose and number."""

    #: They sign what lets a reader leave.
    leave: dict[int, bytes]
    #: They make digests of addresses.
    suppress: dict[int, bytes]

    @property
    def current_unsubscribe_key(self) -> tuple[int, bytes]:
        """The number and key that sign now."""
        return max(self.leave.items())

    @property
    def current_suppression_key(self) -> tuple[int, bytes]:
        """Likewise, for digests of addresses."""
        return max(self.suppress.items())


def load_keys(file: Path) -> Keys:
    """Return the keys in *file*, which is made where there is none.

    Raises:
        FeedsError: it cannot be read or made, or does not hold what it should.
    """
    try:
        _make(file)
        text = file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as e:
        raise FeedsError(f"{file}: the keys cannot be used: {getattr(e, 'strerror', None) or 'not plain text'}") from e
    found: dict[str, dict[int, bytes]] = {purpose: {} for purpose in _PURPOSES}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            purpose, place, key = _read(file, number, line)
            found[purpose][place] = key
    if missing := [purpose for purpose in _PURPOSES if not found[purpose]]:
        raise FeedsError(f"{file}: there is no {missing[0]} key; the file is not whole: take it from your backup")
    return Keys(**found)


def _read(file: Path, number: int, line: str) -> tuple[str, int, bytes]:
    try:
        purpose, place, key = line.split()
        found = purpose, int(place), bytes.fromhex(key)
    except ValueError:
        raise FeedsError(f"{file}:{number}: is not a purpose, a number and a key in hexadecimal digits") from None
    if purpose not in _PURPOSES or not 0 < found[1] <= _MOST or len(found[2]) != _BYTES:
        raise FeedsError(f"{file}:{number}: must be {' or '.join(_PURPOSES)}, 1 to {_MOST}, and {_BYTES} bytes")
    return found


def _make(file: Path) -> None:
    """Make the file, whole or not at all, unless it is there."""
    if file.exists():
        return
    lines = "".join(f"{purpose} 1 {secrets.token_hex(_BYTES)}\n" for purpose in _PURPOSES)
    with suppress(FileExistsError):  # another process was first: its keys are used
        create_file(file, [(_HEAD + lines).encode("ascii")], mode=0o600)
