"""A thread that decides about sign-ups and sends confirmations while the pages are served."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event, Thread
from typing import Self

from feeds.errors import FeedsError
from feeds.jobs.site import Site
from feeds.jobs.subscribers.signup_due import is_round_due
from feeds.jobs.subscribers.signup_round import run_signup_round
from feeds.web.door import Door

#: Seconds between two rounds, if no page asks for one.
_EVERY = 60


class MailWorker:
    """Does a round when a page asks for it (`Door.mail_due`), and every minute; use it as a context manager."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="mail")
        self._logged: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._stopped.set()
        self._door.mail_due.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._door.mail_due.clear()
            self._log(self._do_round())
            self._door.mail_due.wait(_EVERY)

    def _do_round(self) -> Sequence[str]:
        """Do a round; return its errors."""
        context = replace(self._door.context, stopping=self._stopped.is_set)
        config = self._door.config
        try:
            if not is_round_due(config, context.clock()):
                return []
            done = run_signup_round(Site(config), context)
            return [*done.mail.errors, *(f"alert: {line}" for line in done.alerts)]
        except FeedsError as e:
            return e.lines
        except Exception as e:  # noqa: BLE001 - a server that never sends a confirmation again is worse
            return [f"{type(e).__name__}: {e}"]

    def _log(self, errors: Sequence[str]) -> None:
        """Log errors, but not again what the last round has said too."""
        for line in errors:
            if line not in self._logged:
                self._door.log(line)
        self._logged = set(errors)
