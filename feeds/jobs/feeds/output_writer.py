"""Files of `public/`: brought up to date where what they are made of has changed, and told of."""

from feeds.edges.cache.build_manifest import BuildManifest
from feeds.edges.files.output_folder import OutputFolder
from feeds.errors import OutputError
from feeds.jobs.report import PublishReport


class OutputWriter:
    """Writes what has to be written."""

    def __init__(self, public: OutputFolder, made: BuildManifest, report: PublishReport) -> None:
        self._public, self._made, self._report = public, made, report
        #: Whether anything could not be made or written.
        self.failed = False

    def is_fresh(self, path: str, made_of: str) -> bool:
        """Return whether *path* was made of this and lies as it was left; then it is counted."""
        fresh = self._made.is_fresh(path, made_of)
        self._report.unchanged += fresh
        return fresh

    def last_digest(self, path: str) -> str:
        """Return what *path* was made of, if it lies as it was left."""
        return self._made.last_digest(path) or ""

    def mark_current(self, path: str) -> None:
        """Note that *path* is as it should be."""
        self.mark_unchanged(path, self.last_digest(path))

    def mark_unchanged(self, path: str, made_of: str) -> None:
        """Note that *path*, made of something else now, has come out the same."""
        self._made.record(path, made_of)
        self._report.unchanged += 1

    def write(self, path: str, content: bytes, made_of: str) -> bool:
        """Bring one file up to date; return whether that changed it."""
        try:
            changed = self._public.write(path, content)
        except OutputError as e:
            self.report_failure(str(e))
            return False
        if changed:
            self._report.written.append(path)
        else:
            self._report.unchanged += 1
        self._made.record(path, made_of)
        return changed

    def remove(self, path: str) -> None:
        """Take one file away, if it is there."""
        try:
            if self._public.remove(path):
                self._report.removed.append(path)
        except OutputError as e:
            self.report_failure(str(e))

    def report_failure(self, reason: str) -> None:
        """Report what could not be made; another pass may fare better."""
        self._report.errors.append(reason)
        self.failed = True
