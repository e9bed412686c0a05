"""Build the values that the template of a mail outside of any issue uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feeds.core.newsletters import mailhtml
from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.placeholders import NOTE
from feeds.model import ServiceMail
from feeds.settings import Settings, Theme

#: Columns of the text part, as in letters.
_TEXT_WIDTH = 72


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueLink:
    """A link to an issue on the web."""

    subject: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceMailView:
    """Everything that the template may use; it is called `letter` there, since parts of letters are included."""

    lang: str
    dir: str
    title: str
    subject: str
    preview: str
    theme: Theme
    font: str
    line_height: str
    site_name: str
    site_url: str
    address: str
    paragraphs: tuple[str, ...]
    #: The placeholder of the editor's text, and its paragraphs as plain text; empty without one.
    note: str
    note_text: tuple[str, ...]
    #: The button and its link; empty without one.
    button: str
    url: str
    issues: tuple[IssueLink, ...]
    #: What to do if the mail was not asked for.
    after: str
    web: bool = False
    web_url: None = None
    #: Only in mail to a subscriber, which a welcome is.
    unsubscribe_url: str | None = None
    preferences_url: None = None
    why: str = ""
    text_width: int = _TEXT_WIDTH


def build_service_view(
    mail: ServiceMail, texts: Texts, settings: Settings, note_html: str = "", issues: Sequence[IssueLink] = ()
) -> ServiceMailView:
    """Return the view of a mail in the language of *texts*: the texts `mail_<kind>_…` with the mail's values."""
    values: Mapping[str, str] = {"site": settings.site.name, **mail.values}
    theme = settings.newsletters[0].theme if settings.newsletters else Theme()
    intro = _text(texts, mail, "intro", values)
    return ServiceMailView(
        lang=texts.lang,
        dir=texts.direction,
        title=settings.site.name,
        subject=_text(texts, mail, "subject", values),
        preview=intro,
        theme=theme,
        font=theme.font or texts.font,
        line_height=texts.line_height,
        site_name=settings.site.name,
        site_url=settings.site.url,
        address=settings.mail.address,
        paragraphs=(intro,),
        note=NOTE if note_html else "",
        note_text=mailhtml.text_paragraphs(note_html) if note_html else (),
        button=_text(texts, mail, "button", values) if "url" in mail.values else "",
        url=mail.values.get("url", ""),
        issues=tuple(issues),
        after=_text(texts, mail, "after", values),
    )


def _text(texts: Texts, mail: ServiceMail, part: str, values: Mapping[str, str]) -> str:
    is_by_reply = "reply" in mail.values and part != "button"
    return texts.format(f"mail_{'reply' if is_by_reply else mail.kind}_{part}", **values)
