"""One site: its settings, folders, templates, texts and mail transport. Every job works with it."""

from functools import cache, cached_property
from typing import TYPE_CHECKING

from feeds.config import Config, KeyPath
from feeds.config_types import TimeZone
from feeds.core.posts.file_addresses import static_folder
from feeds.core.syndication.feed import public_url
from feeds.edges.files.local_files import LocalFiles
from feeds.edges.files.output_folder import OutputFolder
from feeds.edges.files.source_files import list_stamps
from feeds.errors import ConfigError
from feeds.language_tags import fallback_tags
from feeds.settings import Newsletter, Settings

if TYPE_CHECKING:
    from feeds.core.newsletters.dkim import PrivateKey, Signer
    from feeds.core.newsletters.i18n import Texts
    from feeds.edges.mail.outbox import Outbox
    from feeds.edges.mail.transport import Transport
    from feeds.edges.render.templates import Templates

#: The usual file names of a site's icon, the best one first.
_ICONS = ("favicon.svg", "favicon.ico", "favicon.png", "apple-touch-icon.png")
#: Three lines of text on the colour of links (https://www.rfc-editor.org/rfc/rfc2397).
_DRAWN_ICON = (
    "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20viewBox='0%200%2032%2032'%3E"
    "%3Crect%20width='32'%20height='32'%20rx='7'%20fill='%230a5a78'/%3E"
    "%3Cpath%20d='M8%2010h16M8%2016h16M8%2022h9'%20stroke='%23fffdf8'%20stroke-width='3'/%3E%3C/svg%3E"
)


class Site:
    """The site of one config file."""

    def __init__(self, config: Config, *, dry_run: bool = False) -> None:
        self.config = config
        self.settings: Settings = config.settings
        #: The folder that is deployed as the website.
        self.public = OutputFolder(config.resolve(config.settings.feeds.folder), dry_run=dry_run)

    @cached_property
    def outbox(self) -> "Outbox":
        """The folder that messages are written to instead of being sent."""
        from feeds.edges.mail.outbox import Outbox

        return Outbox(self.config.outbox)

    @cached_property
    def transport(self) -> "Transport":
        """The transport that letters are sent with.

        Raises:
            SenderRejected: a setting or a program that it needs is missing.
        """
        from feeds.edges.mail.transport_registry import create_transport

        mail = self.settings.mail
        name = mail.sender.address.domain if mail.sender else self.settings.site.host
        config = self.config
        return create_transport(mail, config.folder, outbox=config.outbox, passwords=config.smtp_passwords, name=name)

    @cache  # noqa: B019 - a site is used for one run
    def signer(self, domain: str) -> "Signer | None":
        """Return the DKIM signer of a domain; None if no keys are set, or a relay would break the signatures.

        Raises:
            ConfigError: a key cannot be used.
        """
        if not self.settings.mail.is_signed:
            return None
        from feeds.core.newsletters.dkim import DkimKey, Signer

        keys = [DkimKey(one.selector, self._load_key(n, one.key_file)) for n, one in enumerate(self.settings.mail.dkim)]
        try:
            return Signer(domain, keys)
        except ValueError as e:
            raise ConfigError(str(self.config.path), None, "mail.dkim", str(e)) from e

    def _load_key(self, number: int, file: str) -> "PrivateKey":
        from feeds.core.newsletters.dkim import load_private_key

        try:
            return load_private_key(self.config.resolve(file).read_bytes())
        except (OSError, ValueError) as e:
            reason = f"{file}: {getattr(e, 'strerror', None) or e}"
            raise ConfigError(str(self.config.path), None, f"mail.dkim[{number}].key_file", reason) from e

    @cached_property
    def templates(self) -> "Templates":
        """The site's templates; the shipped ones where it has none."""
        from feeds.core.newsletters import plaintext
        from feeds.edges.render.templates import Templates

        return Templates(self.config.folder, {"wrapped": plaintext.wrap_text, "flowed": plaintext.wrap_paragraph})

    @cached_property
    def files(self) -> LocalFiles:
        """The local files that posts refer to: in the built site, or where site generators keep static files."""
        folder, settings = self.config.folder, self.settings
        built = [self.config.resolve(settings.posts.rendered)] if settings.posts.rendered else []
        static = static_folder(settings.posts.generator_name)
        names = filter(None, (static, "static", "public"))
        roots = [self.public.root, *built, folder, *(folder / name for name in names)]
        return LocalFiles(settings.site.url, list(dict.fromkeys(roots)), self.config.resolve(settings.posts.folder))

    @cached_property
    def icon(self) -> str:
        """The address of the site's own icon, where its file is on this machine; else an icon in its URL."""
        urls = (f"{self.settings.site.url}{name}" for name in _ICONS)
        return next((url for url in urls if self.files.size(url, self.settings.site.url, "")), _DRAWN_ICON)

    def unused_templates(self) -> list[str]:
        """Return a line for each file and text in the site's templates folder that nothing uses."""
        from feeds.edges.render.template_files import find_unused

        return find_unused(self.config.folder)

    def missing_texts(self) -> list[str]:
        """Return a warning for each language in the settings that has no texts, at the first key that names it."""
        from feeds.edges.render.template_files import has_texts

        settings = self.settings
        own = ((("newsletters", n, "language"), one.language) for n, one in enumerate(settings.newsletters))
        first: dict[str, KeyPath] = {}
        for keys, lang in ((("site", "language"), settings.site.language), *own):
            if lang and not has_texts(self.config.folder, lang):
                first.setdefault(lang, keys)
        return [self.config.warning(keys, self._translate(lang)) for lang, keys in first.items()]

    def _translate(self, lang: str) -> str:
        english, file = self.templates.template_path("texts/en.toml"), f"templates/texts/{lang}.toml"
        return (
            f"there are no texts in {lang!r}, so the fixed words of letters and pages are English;"
            f" translate a copy of them: mkdir -p templates/texts && cp {english} {file}"
        )

    def templates_stamp(self) -> list[tuple[str, int, int]]:
        """Return the file stamps of the site's templates, to notice changes."""
        return list_stamps(self.config.folder / "templates")

    def texts(self, newsletter: Newsletter | None = None, preferred: str | None = None) -> "Texts":
        """Return the texts of a newsletter, or of the site's pages; in the *preferred* language, if it has texts."""
        from feeds.core.newsletters.i18n import Texts

        lang: str = (newsletter and newsletter.language) or self.settings.site.language
        lang = preferred if preferred and self.templates.has_texts(preferred) else lang
        english = self.templates.english_texts(lang)
        return Texts(lang, self.templates.texts(lang), self.zone(newsletter), english)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the site's pages: of site, newsletters and the site's own texts, if there are texts in them.

        The languages of one shipped text, such as `en` and `en-GB`, are one.
        """
        settings, known = self.settings, self.templates.languages()
        used = [
            settings.site.language,
            *(one.language for one in settings.newsletters),
            *self.templates.own_languages(),
        ]
        found = (next((tag for tag in fallback_tags(lang) if tag in known), None) for lang in used if lang)
        return tuple(dict.fromkeys(filter(None, found)))

    def zone(self, newsletter: Newsletter | None = None) -> TimeZone:
        """Return a newsletter's time zone, or the site's."""
        return (newsletter and newsletter.timezone) or self.settings.site.timezone

    def public_url(self, path: str) -> str:
        """Return the URL of a file below `public/`."""
        return public_url(path, self.settings.feeds_url)


def web_url(config: Config) -> str:
    """Return the URL of the pages for readers: `web.url`, or where the server listens if that is not set."""
    web = config.settings.web
    return web.url or ("http://localhost/" if web.listen.path else f"http://{web.listen}/")


class _Last:
    """The last site that `cached_site` returned; a worker gets many tasks of the same site."""

    site: Site | None = None
    stamp: object = None


def cached_site(config: Config) -> Site:
    """Return the site of a config; the same one, with its compiled templates, until a template changes."""
    last = _Last.site
    if last is None or last.config != config or last.templates_stamp() != _Last.stamp:
        last = _Last.site = Site(config)
        _Last.stamp = last.templates_stamp()
    return last
