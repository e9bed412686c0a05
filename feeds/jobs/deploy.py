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
        #: An earlier pass may have left changes that were not deployed.
        self._is_due = bool(self._command) and memory.begin_changing(wish.clock())

    def bring(self) -> bool:
        """Run the command if anything has changed since it ran last; return whether the web has everything."""
        if self._command is None:
            return True
        report = self._report
        if self._is_due or report.written or report.removed or report.pages:
            try:
                command.run(self._command, self._folder)
            except CommandError as e:
                report.errors.append(f"publish.after: {e}; nothing is announced until it succeeds")
                return False
        self._memory.deployed()
        return True


def waits(site: Site, memory: FeedMemory) -> bool:
    """Return whether something is still to be deployed, because it failed or is being made."""
    return bool(site.settings.publish.after) and memory.is_undeployed()
