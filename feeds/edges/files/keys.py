"""The secret keys of a site: a small file beside the database, created on first use.

Each purpose has numbered keys, so that a key can be replaced while signatures of the older ones stay valid: the key
with the highest number signs, all keys verify.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from feeds.edges.files.private_folder import create_private_folder
from feeds.edges.files.write_files import create_file
from feeds.errors import FeedsError

_KEY_BYTES = 32
_HIGHEST_NUMBER = 255
_PURPOSES = ("leave", "suppress")
_HEAD = """\
# The secret keys of this site. `leave` signs the links of subscribers; `suppress` hashes the addresses on the
# suppression list. Keep this file secret: with it, anyone can change your subscribers. Keep it with the backups of the
# database: without it, the unsubscribe links in sent letters do not work and the suppression list cannot be read.
# To replace a key, add a line with the next number.
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by purpose and number."""

    #: For the links of subscribers: to unsubscribe, to confirm, to their preferences.
    leave: dict[int, bytes]
    #: For hashes of addresses on the suppression list.
    suppress: dict[int, bytes]

    @property
    def current_unsubscribe_key(self) -> tuple[int, bytes]:
        """Number and key for new links of subscribers."""
        return max(self.leave.items())

    @property
    def current_suppression_key(self) -> tuple[int, bytes]:
        """Number and key for new entries of the suppression list."""
        return max(self.suppress.items())


def load_keys(file: Path) -> Keys:
    """Return the keys in *file*; create it with new keys if it does not exist.

    Raises:
        FeedsError: the file cannot be read or created, or a line or a key is invalid or missing.
    """
    try:
        _create(file)
        text = file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as e:
        raise FeedsError(f"{file}: the keys cannot be read: {getattr(e, 'strerror', None) or 'not ASCII text'}") from e
    keys: dict[str, dict[int, bytes]] = {purpose: {} for purpose in _PURPOSES}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            purpose, key_number, key = _parse_line(f"{file}:{number}", line)
            keys[purpose][key_number] = key
    if missing := [purpose for purpose in _PURPOSES if not keys[purpose]]:
        raise FeedsError(f"{file}: the {missing[0]} key is missing; restore the file from your backup")
    return Keys(**keys)


def _parse_line(place: str, line: str) -> tuple[str, int, bytes]:
    try:
        purpose, number, key = line.split()
        found = purpose, int(number), bytes.fromhex(key)
    except ValueError:
        raise FeedsError(f"{place}: must be a purpose, a number and a key in hexadecimal digits") from None
    if purpose not in _PURPOSES or not 0 < found[1] <= _HIGHEST_NUMBER or len(found[2]) != _KEY_BYTES:
        raise FeedsError(
            f"{place}: the purpose must be {' or '.join(_PURPOSES)}, the number 1 to {_HIGHEST_NUMBER}, and the key"
            f" {_KEY_BYTES} bytes"
        )
    return found


def _create(file: Path) -> None:
    """Create the file with new keys, unless it exists."""
    if file.exists():
        return
    create_private_folder(file.parent)
    lines = "".join(f"{purpose} 1 {secrets.token_hex(_KEY_BYTES)}\n" for purpose in _PURPOSES)
    with suppress(FileExistsError):  # another process was first, and its keys are used
        create_file(file, [(_HEAD + lines).encode("ascii")], mode=0o600)
