"""Read the editor's notes."""

from pathlib import Path

from feeds.core.newsletters import notes
from feeds.core.posts.frontmatter import parse_source
from feeds.edges.files import source_files
from feeds.edges.store.issues import Issues
from feeds.errors import PostError
from feeds.jobs.site import Site
from feeds.model import EditorNote
from feeds.settings import Newsletter

_MOST_BYTES = 100_000


def load_issue_note(site: Site, newsletter: Newsletter, number: int, issues: Issues) -> EditorNote | None:
    """Return the note for an issue: `NUMBER.md`, or else `next.md` unless an earlier issue used it.

    Raises:
        PostError: the note cannot be read.
    """
    for name in (f"{number}.md", "next.md"):
        path = f"letters/{newsletter.name}/{name}"
        if (site.config.folder / path).is_file():
            note = _load_note(site.config.folder, path, path)
            if name != "next.md" or note.digest not in issues.note_digests(newsletter.name):
                return note
    return None


def load_correction(file: Path) -> EditorNote:
    """Return the text of a correction.

    Raises:
        PostError: the file cannot be read, names posts, or has no text.
    """
    note = _load_note(file.absolute().parent, file.name, str(file))
    if note.pinned or note.skipped:
        raise PostError(note.path, note.pin_line or note.skip_line, "a correction has no posts: remove pin and skip")
    if not note.html:
        raise PostError(note.path, None, "has no text below its front matter")
    return note


def _load_note(parent: Path, file: str, path: str) -> EditorNote:
    """Return the note in a file; messages call it *path*.

    Raises:
        PostError: the note cannot be read.
    """
    content = source_files.read_file(parent, file, _MOST_BYTES)
    return notes.parse_note(path, parse_source(path, notes.ensure_front_matter(content)), content)
