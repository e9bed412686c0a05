"""The owner's command that brings `public/` to the web: run when files have changed, before anything is announced."""

from feeds.edges import command
from feeds.edges.store.feeds import FeedMemory
from feeds.errors import CommandError
from feeds.jobs.report import Report, Wish
from feeds.jobs.site import Site


class Deployment:
    """What one pass has to deploy; nothing where no command is named."""

    def __init__(self, site: Site, memory: FeedMemory, wish: Wish, report: Report) -> None:
        self._command = None if wish.dry_run else site.settings.publish.after
        self._folder, self._memory, self._report = site.config.folder, memory, report
        #: How many changes were deployed; an earlier pass may have left some that were not.
        self._seen = 0
        if self._command and memory.begin_changing(wish.clock()):
            self._seen = -1
        self._failed = False

    def bring(self) -> bool:
        """Run the command if anything has changed since it ran last; return whether the web has everything."""
        if self._command is None:
            return True
        if self._failed:
            return False
        changes = len(self._report.written) + len(self._report.removed) + self._report.pages
        if changes > self._seen:
            try:
                command.run(self._command, self._folder)
            except CommandError as e:
                self._report.errors.append(f"publish.after: {e}; nothing is announced until it succeeds")
                self._failed = True
                return False
        self._seen = changes
        return True

    def end(self) -> None:
        """Write down that nothing is left to deploy."""
        if self._command is not None and not self._failed:
            self._memory.deployed()
