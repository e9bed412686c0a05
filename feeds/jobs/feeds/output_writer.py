"""Write the files of `public/` whose inputs have changed, and report what was written."""

from feeds.edges.cache.build_manifest import BuildManifest
from feeds.edges.files.output_folder import OutputFolder
from feeds.errors import OutputError
from feeds.jobs.report import PublishReport


class OutputWriter:
    """Writes and removes files below `public/`; updates the build manifest and the report."""

    def __init__(self, public: OutputFolder, manifest: BuildManifest, report: PublishReport) -> None:
        self._public, self._manifest, self._report = public, manifest, report
        #: True if a file could not be rendered or written.
        self.failed = False

    def is_fresh(self, path: str, digest: str) -> bool:
        """Return whether *path* was built from inputs with this digest and not touched since; if so, count it."""
        fresh = self._manifest.is_fresh(path, digest)
        self._report.unchanged += fresh
        return fresh

    def last_digest(self, path: str) -> str:
        """Return the input digest of *path*; empty if the file was touched since or is not known."""
        return self._manifest.last_digest(path) or ""

    def mark_current(self, path: str) -> None:
        """Record that *path* needs no update."""
        self.mark_unchanged(path, self.last_digest(path))

    def mark_unchanged(self, path: str, digest: str) -> None:
        """Record a new input digest of *path*, whose bytes are the same as before."""
        self._manifest.record(path, digest)
        self._report.unchanged += 1

    def write(self, path: str, content: bytes, digest: str) -> bool:
        """Write a file if its bytes differ; return True if they did. A failure is reported and returns False."""
        try:
            changed = self._public.write(path, content)
        except OutputError as e:
            self.report_failure(str(e))
            return False
        if changed:
            self._report.written.append(path)
        else:
            self._report.unchanged += 1
        self._manifest.record(path, digest)
        return changed

    def remove(self, path: str) -> None:
        """Remove a file, if it exists. A failure is reported."""
        try:
            if self._public.remove(path):
                self._report.removed.append(path)
        except OutputError as e:
            self.report_failure(str(e))

    def report_failure(self, reason: str) -> None:
        """Report an error, once; because of it, the next run does not take the fast path."""
        if not any(error.endswith(reason) for error in self._report.errors):
            self._report.errors.append(reason)
        self.failed = True
