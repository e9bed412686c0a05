"""A site with a sign-up page, its clock, and what a reader and an attacker do with it."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy

from feeds.config import Config
from feeds.edges.store.database import open_store
from feeds.jobs.context import Context
from feeds.jobs.site import Site
from feeds.jobs.subscribers.confirm import confirm_signup
from feeds.jobs.subscribers.sign_up import SentForm, accept_form, open_form
from feeds.jobs.subscribers.signup_round import run_signup_round
from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite

WEB = '[web]\nurl = "https://letters.example.com/"\n'
_LINK = re.compile(r"https://letters\.example\.com/confirm/([\w-]+)")


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class SignupSite:
    """A site whose sign-up form is used by its jobs, as the web does it."""

    sample: SampleSite
    resolver: object = None
    clock: Clock = field(default_factory=Clock)
    #: The text of the last config, and the config: like the web, a test reads it once for many sign-ups.
    _read: tuple[str, Config] | None = None

    @classmethod
    def create(cls, sample: SampleSite, signup: str = "", more: str = "") -> "SignupSite":
        sample.configure(CONFIG + NEWSLETTER + more + WEB + f"[signup]\n{signup}\n")
        return cls(sample)

    @property
    def site(self) -> Site:
        text = self.sample.read("config.toml")
        if self._read is None or self._read[0] != text:
            self._read = (text, self.sample.config)
        return Site(self._read[1])

    @property
    def context(self) -> Context:
        numbers = iter(range(1_000_000))
        return Context(clock=self.clock, random_bytes=lambda size: next(numbers).to_bytes(size))

    def open_form(self, lang: str = "en") -> str:
        form = open_form(self.site, lang, self.clock())
        return form.token if form else ""

    def sign_up(self, email, client="192.0.2.1", *, newsletters=("weekly",), honeypot="", seconds=60, lang="en") -> str:
        """Open the form, send it after some seconds, and return the answer."""
        token = self.open_form(lang)
        self.clock.advance(seconds=seconds)
        sent = SentForm(email=email, newsletters=newsletters, token=token, honeypot=honeypot, client=client)
        return accept_form(self.site, sent, lang, self.clock())

    def run_round(self):
        return run_signup_round(self.site, self.context, self.resolver)

    def mails(self, kind: str = "") -> list:
        """Return the mail in the outbox, in the order in which it was queued."""
        folder = self.sample.folder / ".feeds/outbox/mail"
        files = sorted(folder.glob(f"{kind or '*'}/*/*.eml"), key=lambda file: int(file.parent.name))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def tokens(self, kind: str = "") -> list[str]:
        """Return the tokens in the links of the mail."""
        return [_LINK.search(mail.get_body(("plain",)).get_content())[1] for mail in self.mails(kind)]

    def confirm(self, token: str, client: str = "192.0.2.1"):
        return confirm_signup(self.site, token, client, self.context)

    def subscriber(self, email: str):
        with open_store(self.sample.config.store_url, self.sample.folder) as store:
            return store.subscribers.find(email)

    def rows(self, query: str) -> list[tuple]:
        with open_store(self.sample.config.store_url, self.sample.folder) as store:
            return store.database.connection.execute(query).fetchall()
