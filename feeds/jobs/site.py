"""What every job of a site works with: its settings, its output folders, its templates."""

from functools import cached_property
from urllib.parse import quote, urljoin

from feeds.config import Config
from feeds.core.newsletters import plaintext
from feeds.core.newsletters.words import Words
from feeds.edges.folder import Output
from feeds.edges.outbox import Outbox
from feeds.edges.templates import Templates
from feeds.settings import Newsletter, Settings, Zone


class Site:
    """One config file's site, opened for work."""

    def __init__(self, config: Config, *, dry_run: bool = False) -> None:
        self.config = config
        self.settings: Settings = config.settings
        #: What the web sees.
        self.public = Output(config.resolve(config.settings.feeds.folder), dry_run=dry_run)

    @cached_property
    def outbox(self) -> Outbox:
        """Where messages lie."""
        return Outbox(self.config.folder / "outbox")

    @cached_property
    def templates(self) -> Templates:
        """The site's templates, and behind them the shipped ones."""
        return Templates(self.config.folder, {"wrapped": plaintext.wrapped})

    def words(self, newsletter: Newsletter | None = None) -> Words:
        """Return the words of a newsletter, or of the site's pages."""
        lang = (newsletter and newsletter.language) or self.settings.site.language
        return Words(lang, self.templates.texts(lang), self.zone(newsletter))

    def zone(self, newsletter: Newsletter | None = None) -> Zone:
        """Return a newsletter's time zone, or the site's."""
        return (newsletter and newsletter.timezone) or self.settings.site.timezone

    def public_url(self, path: str) -> str:
        """Return where a file below `public/` is on the web: beside the feeds' folder."""
        return urljoin(self.settings.feeds_url, "../" + quote(path))
