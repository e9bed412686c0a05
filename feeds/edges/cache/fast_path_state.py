"""The seal on a finished publish: what it looked at and what it left behind, to find out that nothing has changed.

Most runs of a scheduler find nothing to do, and should cost no more than looking. So a pass that has come to rest
leaves a seal: as long as everything it read and wrote lies there unchanged, and no moment has come at which a post
appears or expires, another pass would do nothing, and what it would say is known. Whatever differs, in the posts, the
settings, the templates, the outputs, the store or the program itself, breaks the seal, and the pass is done.

Loads next to nothing; that is the point.
"""

import fcntl
import os
from array import array
from collections.abc import Iterable, Mapping
from zlib import crc32

from feeds.edges.cache import fingerprint
from feeds.edges.files.scan import UNKNOWN, Scan, file_stamp

_MARK = b"feeds seal 1"


def environment_fingerprint(config: str, environ: Mapping[str, str]) -> bytes:
    """Return what decides how posts are read, besides them: the program, the config file and variables over it."""
    try:
        with open(config, "rb") as file:
            content = file.read()
    except OSError:
        content = b""
    variables = [f"{name}={value}" for name, value in sorted(environ.items()) if name.startswith("FEEDS_")]
    return b"\0".join([fingerprint.build_fingerprint().encode(), content, *map(os.fsencode, variables)])


def watched_state(paths: Iterable[str], posts: Scan) -> bytes:
    """Return the state of files and folders, and of the posts; any change makes it another one."""
    numbers = array("q")
    for path in paths:
        try:
            about = os.stat(path)
        except OSError:
            numbers.extend(UNKNOWN)
        else:
            numbers.extend(file_stamp(about))
    return numbers.tobytes() + posts.digest()


def save_state(file: str, fields: Iterable[bytes]) -> None:
    """Keep *fields*, in one step; without a seal the next pass only takes longer."""
    content = b"".join(b"%d\n%b" % (len(field), field) for field in fields)
    unfinished = f"{file}-unfinished"
    try:
        with open(unfinished, "wb") as opened:
            opened.write(b"%b %08x\n%b" % (_MARK, crc32(content), content))
        os.replace(unfinished, file)
    except OSError:
        return


def load_state(file: str) -> list[bytes] | None:
    """Return the fields that were kept; None where there are none that can be trusted."""
    try:
        with open(file, "rb") as opened:
            head, content = opened.readline(), opened.read()
    except OSError:
        return None
    if head != b"%b %08x\n" % (_MARK, crc32(content)):
        return None
    found, at = [], 0
    while at < len(content):
        end = content.index(b"\n", at)
        start = end + 1
        at = start + int(content[at:end])
        found.append(content[start:at])
    return found


def is_unlocked(folder: str) -> bool:
    """Return whether no publish is at work on the site at this moment."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(number)
    return True
