"""Build the values that the template of a mail outside of any issue uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.palette import Palette, dark_palette, light_palette
from feeds.core.newsletters.placeholders import NOTE
from feeds.core.newsletters.plaintext import WIDTH
from feeds.core.newsletters.template_context import fonts_of_windows
from feeds.model import ServiceMail
from feeds.settings import Settings, Theme

#: Columns of the text part, as in letters.


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueLink:
    """A link to an issue on the web."""

    subject: str
    url: str
    #: The title of the newsletter; empty if the mail is about one alone.
    newsletter: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceMailView:
    """Everything that the template may use; it is called `letter` there, since parts of letters are included."""

    lang: str
    dir: str
    title: str
    subject: str
    preview: str
    theme: Theme
    palette: Palette
    palette_dark: Palette
    font: str
    word_font: str
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
    #: The texts of `t` that are English in a mail of another language.
    english: frozenset[str]
    web: bool = False
    web_url: None = None
    issues_url: None = None
    previous_url: None = None
    feed_url: None = None
    signup_url: None = None
    #: Only in mail to a subscriber, which a welcome is.
    unsubscribe_url: str | None = None
    preferences_url: None = None
    why: str = ""
    text_width: int = WIDTH

    def english_in(self, *names: str) -> bool:
        """Return whether any of these texts is English in a mail of another language."""
        return not self.english.isdisjoint(names)


def build_service_view(
    mail: ServiceMail, texts: Texts, settings: Settings, note: Sequence[str] = (), issues: Sequence[IssueLink] = ()
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
        palette=light_palette(theme),
        palette_dark=dark_palette(theme),
        font=theme.font or texts.font,
        word_font=fonts_of_windows(theme.font or texts.font),
        english=texts.english,
        line_height=texts.line_height,
        site_name=settings.site.name,
        site_url=settings.site.url,
        address=settings.mail.address,
        paragraphs=(intro,),
        note=NOTE if note else "",
        note_text=tuple(note),
        button=_text(texts, mail, "button", values) if "url" in mail.values else "",
        url=mail.values.get("url", ""),
        issues=tuple(issues),
        after=_text(texts, mail, "after", values),
    )


def _text(texts: Texts, mail: ServiceMail, part: str, values: Mapping[str, str]) -> str:
    is_by_reply = "reply" in mail.values and part != "button"
    return texts.format(f"mail_{'reply' if is_by_reply else mail.kind}_{part}", **values)
