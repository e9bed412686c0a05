"""Render the mail that is outside of any issue, in the look of letters."""

from email.headerregistry import Address

from feeds.config_types import NamedAddress
from feeds.core.newsletters.placeholders import NOTE
from feeds.core.newsletters.service_message import ServiceSender
from feeds.core.newsletters.service_view import build_service_view
from feeds.edges.render import mjml
from feeds.edges.store.database import Store
from feeds.jobs.site import Site
from feeds.model import Letter, ServiceMail

#: The name before the `@` of the sender where `mail.from` is not set, as with letters.
_SENDER = "letters"


def service_sender(site: Site) -> ServiceSender:
    """Return what all this mail shares."""
    mail = site.settings.mail
    sender = mail.sender or NamedAddress(Address(site.settings.site.name, _SENDER, site.settings.site.host))
    return ServiceSender(
        sender=sender,
        reply_to=mail.reply_to,
        zone=site.settings.site.timezone,
        bounces=mail.bounces.address if mail.bounces else None,
        relay_headers=tuple(header for relay in mail.relays.values() for header in relay.headers),
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
        note_html = ""
        view = build_service_view(mail, texts, self._site.settings, note_html)
        context = {"letter": view, "t": texts.plain}
        source = templates.render("service.mjml", context)
        path, parts = templates.template_path("service.mjml"), templates.part_paths("letter")
        html = mjml.compile_mjml(source, path, parts, {NOTE: note_html})
        return Letter(lang=texts.lang, subject=view.subject, html=html, text=templates.render("service.txt", context))
