"""The owner's command that brings `public/` to the web: run when files have changed, before anything is announced."""

from datetime import datetime

from feeds.edges.process import shell
from feeds.edges.store.feeds import Feeds
from feeds.errors import CommandError
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site


class Deployment:
    """What one pass has to deploy; nothing where no command is named."""

    def __init__(
        self, site: Site, memory: Feeds, report: PublishReport, *, now: datetime, dry_run: bool = False
    ) -> None:
        self._command = None if dry_run else site.settings.publish.after
        self._folder, self._memory, self._report = site.config.folder, memory, report
        #: An earlier pass may have left changes that were not deployed.
        self._is_due = bool(self._command) and memory.mark_undeployed(now)

    def run(self) -> bool:
        """Run the command if anything has changed since it ran last; return whether the web has everything."""
        if self._command is None:
            return True
        report = self._report
        if self._is_due or report.written or report.removed or report.pages:
            try:
                shell.run_command(self._command, self._folder)
            except CommandError as e:
                report.errors.append(f"publish.after: {e}; nothing is announced until it succeeds")
                return False
        self._memory.mark_deployed()
        return True


def is_deploy_pending(site: Site, memory: Feeds) -> bool:
    """Return whether something is still to be deployed, because it failed or is being made."""
    return bool(site.settings.publish.after) and memory.is_undeployed()
