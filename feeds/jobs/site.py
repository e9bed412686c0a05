"""What every job of a site works with: its settings, its output folders, its templates."""
# ruff: noqa: PLC0415 - a pass in which nothing changes needs none of what is slow to load

from functools import cache, cached_property
from typing import TYPE_CHECKING

from feeds.config import Config
from feeds.config_types import TimeZone
from feeds.core.syndication.feed import public_url
from feeds.edges.files.local_files import LocalFiles
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.files.source_files import list_stamps
from feeds.errors import ConfigError
from feeds.settings import Newsletter, Settings

if TYPE_CHECKING:
    from feeds.core.newsletters.dkim import PrivateKey, Signer
    from feeds.core.newsletters.i18n import Texts
    from feeds.edges.mail.outbox import Outbox
    from feeds.edges.mail.transport import Transport
    from feeds.edges.render.templates import Templates


class Site:
    """One config file's site, opened for work."""

    def __init__(self, config: Config, *, dry_run: bool = False) -> None:
        self.config = config
        self.settings: Settings = config.settings
        #: What the web sees.
        self.public = OutputFolder(config.resolve(config.settings.feeds.folder), dry_run=dry_run)

    @cached_property
    def outbox(self) -> "Outbox":
        """Where messages lie."""
        from feeds.edges.mail.outbox import Outbox

        return Outbox(self.config.folder / "outbox")

    @cached_property
    def transport(self) -> "Transport":
        """The way letters leave.

        Raises:
            MailRefused: it lacks what it needs.
        """
        from feeds.edges.mail.transport_registry import create_transport

        mail = self.settings.mail
        name = mail.sender.address.domain.encode("idna").decode() if mail.sender else self.settings.site.host
        return create_transport(mail, self.config.folder, passwords=self.config.smtp_passwords, name=name)

    @cache  # noqa: B019 - a site lives as long as a pass
    def signer(self, domain: str) -> "Signer | None":
        """Return what signs for a domain; None where no keys are named, or a relay would break what they sign.

        Raises:
            ConfigError: a key cannot be used.
        """
        if not self.settings.mail.is_signed:
            return None
        from feeds.core.newsletters.dkim import DkimKey, Signer

        keys = [DkimKey(one.selector, self._key(at, one.key_file)) for at, one in enumerate(self.settings.mail.dkim)]
        try:
            return Signer(domain, keys)
        except ValueError as e:
            raise ConfigError(str(self.config.path), None, "mail.dkim", str(e)) from e

    def _key(self, at: int, file: str) -> "PrivateKey":
        from feeds.core.newsletters.dkim import load_private_key

        try:
            return load_private_key(self.config.resolve(file).read_bytes())
        except (OSError, ValueError) as e:
            reason = f"{file}: {getattr(e, 'strerror', None) or e}"
            raise ConfigError(str(self.config.path), None, f"mail.dkim[{at}].key_file", reason) from e

    @cached_property
    def templates(self) -> "Templates":
        """The site's templates, and behind them the shipped ones."""
        from feeds.core.newsletters import plaintext
        from feeds.edges.render.templates import Templates

        return Templates(self.config.folder, {"wrapped": plaintext.wrap_text, "flowed": plaintext.wrap_paragraph})

    @cached_property
    def files(self) -> LocalFiles:
        """Files that posts name and that lie here: where the site is built, or where generators keep them."""
        folder, settings = self.config.folder, self.settings
        roots = [self.public.root, folder, folder / "static", folder / "public"]
        return LocalFiles(settings.site.url, list(dict.fromkeys(roots)), self.config.resolve(settings.posts.folder))

    def templates_stamp(self) -> list[tuple[str, int, int]]:
        """Return what changes when one of the site's templates does."""
        return list_stamps(self.config.folder / "templates")

    def texts(self, newsletter: Newsletter | None = None, asked: str | None = None) -> "Texts":
        """Return the words of a newsletter, in the language *asked* for if there is one, or of the site's pages."""
        from feeds.core.newsletters.i18n import Texts

        lang: str = (newsletter and newsletter.language) or self.settings.site.language
        lang = asked if asked and self.templates.has_texts(asked) else lang
        return Texts(lang, self.templates.texts(lang), self.zone(newsletter))

    def zone(self, newsletter: Newsletter | None = None) -> TimeZone:
        """Return a newsletter's time zone, or the site's."""
        return (newsletter and newsletter.timezone) or self.settings.site.timezone

    def public_url(self, path: str) -> str:
        """Return where a file below `public/` is on the web."""
        return public_url(path, self.settings.feeds_url)


class _Last:
    """The site that was asked for last: a worker is asked for the same one again and again."""

    site: Site | None = None
    stamp: object = None


def cached_site(config: Config) -> Site:
    """Return a config's site, with its templates as they are now; what they were compiled to is kept."""
    last = _Last.site
    if last is None or last.config != config or last.templates_stamp() != _Last.stamp:
        last = _Last.site = Site(config)
        _Last.stamp = last.templates_stamp()
    return last
