"""Run `publish.after`, the command that deploys `public/`: when files have changed, before pings and letters go out."""

from datetime import datetime

from feeds.edges.process import shell
from feeds.edges.store.feeds import Feeds
from feeds.errors import CommandError
from feeds.jobs.report import PublishReport
from feeds.jobs.site import Site


class Deployment:
    """The deployment of one publish run; does nothing if `publish.after` is not set."""

    def __init__(
        self, site: Site, store: Feeds, report: PublishReport, *, now: datetime, dry_run: bool = False
    ) -> None:
        self._command = None if dry_run else site.settings.publish.after
        self._folder, self._store, self._report = site.config.folder, store, report
        #: An earlier run may have left changes that were not deployed.
        self._is_due = bool(self._command) and store.mark_undeployed(now)

    def run(self) -> bool:
        """Run the command if anything changed since its last success; return False if it failed."""
        if self._command is None:
            return True
        report = self._report
        if self._is_due or report.written or report.removed or report.pages:
            try:
                shell.run_command(self._command, self._folder)
            except CommandError as e:
                report.errors.append(f"publish.after: {e}; nothing is announced until it succeeds")
                return False
        self._store.mark_deployed()
        return True


def is_deploy_pending(site: Site, store: Feeds) -> bool:
    """Return whether a deployment is unfinished: it failed, or is running now."""
    return bool(site.settings.publish.after) and store.is_undeployed()
