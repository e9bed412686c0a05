"""Render the mail that is outside of any issue, in the look of letters."""

from dataclasses import replace
from email.headerregistry import Address

from feeds.config_types import NamedAddress
from feeds.core.newsletters import mailhtml, notes
from feeds.core.newsletters.placeholders import NOTE
from feeds.core.newsletters.service_message import ServiceSender
from feeds.core.newsletters.service_view import IssueLink, build_service_view
from feeds.core.newsletters.text_links import LinkNumbers
from feeds.core.newsletters.text_part import set_text
from feeds.core.posts.frontmatter import parse_source
from feeds.edges.files import source_files
from feeds.edges.store.database import Store
from feeds.jobs.site import Site
from feeds.model import Letter, ServiceMail, ServiceMailKind
from feeds.settings import LATEST, Theme

#: The name before the `@` of the sender where `mail.from` is not set, as with letters.
_SENDER = "letters"
#: The largest welcome letter.
_MOST_BYTES = 100_000


def service_sender(site: Site) -> ServiceSender:
    """Return the values that all this mail shares."""
    mail = site.settings.mail
    sender = mail.sender or NamedAddress(Address(site.settings.site.name, _SENDER, site.settings.site.host))
    return ServiceSender(
        sender=sender,
        reply_to=mail.reply_to,
        zone=site.settings.site.timezone,
        bounces=mail.bounces.address if mail.bounces else None,
        relay_headers=tuple(header for relay in mail.relays.values() for header in relay.headers),
        web_url=site.settings.web.url,
        signer=site.signer(sender.address.domain),
    )


class ServiceMailRenderer:
    """Renders mail of one site."""

    def __init__(self, site: Site, store: Store) -> None:
        self._site, self._store = site, store

    def render(self, mail: ServiceMail) -> Letter:
        """Return the mail in its language, else in the site's.

        Raises:
            TemplateError: the template or a text has an error.
        """
        texts, templates = self._site.texts(preferred=mail.lang), self._site.templates
        is_welcome = mail.kind is ServiceMailKind.WELCOME
        subject, note = self._load_welcome() if is_welcome else ("", "")
        has_latest = LATEST in self._site.settings.signup.welcome_parts
        issues = self._newest_issues(mail) if is_welcome and has_latest else ()
        view = build_service_view(mail, texts, self._site.settings, self._set_text(note, texts.lang), issues)
        view = replace(view, unsubscribe_url=next(iter(service_sender(self._site).unsubscribe_urls(mail)), None))
        if subject:
            view = replace(view, subject=subject)
        context = {"letter": view, "t": texts.plain}
        html = templates.render_mjml("service.mjml", context, {NOTE: self._render_html(note, view.note_lang)})
        return Letter(lang=texts.lang, subject=view.subject, html=html, text=templates.render("service.txt", context))

    def _load_welcome(self) -> tuple[str, str]:
        """Return the editor's subject, and the HTML of the editor's text; both may be empty.

        Raises:
            PostError: the file cannot be read.
        """
        subject, html = "", ""
        for name in self._site.settings.signup.welcome_parts:
            if name == LATEST:
                continue
            path = self._site.config.resolve(name)
            content = source_files.read_file(path.parent, path.name, _MOST_BYTES)
            note = notes.parse_note(name, parse_source(name, notes.ensure_front_matter(content)), content)
            subject, html = note.subject or subject, html + note.html
        return subject, html

    def _render_html(self, html: str, lang: str) -> str:
        """Return the editor's text as HTML for mail."""
        theme = self._site.settings.newsletters[0].theme if self._site.settings.newsletters else Theme()
        style, url = mailhtml.MailStyle.of_theme(theme, lang), self._site.settings.site.url
        return mailhtml.render_mail_html(html, url, style, below=1) if html else ""

    def _set_text(self, html: str, lang: str) -> tuple[str, ...]:
        """Return the editor's text as blocks of plain text."""
        base, picture = self._site.settings.site.url, self._site.templates.texts(lang)["picture"]
        return set_text(mailhtml.prepare_html(html, base), LinkNumbers(), page=base, picture=picture)

    def _newest_issues(self, mail: ServiceMail) -> tuple[IssueLink, ...]:
        """Return the newest issue of each newsletter of the mail that has a page on the web."""
        names = [*filter(None, mail.values.get("newsletters", "").split(","))]
        chosen = [one for one in self._site.settings.newsletters if one.name in names and one.archive != "off"]
        issues = self._store.issues.load_issues() if chosen else []
        found = []
        for newsletter in chosen:
            own = [one for one in issues if one.newsletter == newsletter.name and not one.retracted_at]
            if own:
                last = max(own, key=lambda one: one.number)
                url = self._site.public_url(f"newsletters/{newsletter.name}/{last.number}/")
                title = newsletter.heading if len(names) > 1 else ""
                found.append(IssueLink(subject=last.subject, url=url, newsletter=title))
        return tuple(found)
