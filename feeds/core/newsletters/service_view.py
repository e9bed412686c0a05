"""Build the values that the template of a mail outside of any issue uses."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.palette import Palette, dark_palette, light_palette
from feeds.core.newsletters.placeholders import NOTE
from feeds.core.newsletters.plaintext import WIDTH
from feeds.core.newsletters.template_context import fonts_of_windows
from feeds.model import ServiceMail
from feeds.settings import Settings, Theme


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
    #: The same as HTML, in which the names of site and newsletters keep their own text direction.
    isolated_paragraphs: tuple[Markup, ...]
    #: The placeholder of the editor's text, and its paragraphs as plain text; empty without one.
    note: str
    #: The language of the editor's text: that of the site.
    note_lang: str
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
    intro = texts.format(_text_name(mail, "intro"), **values)
    names = [newsletter.heading for newsletter in settings.newsletters]
    isolated = {key: _isolate_names(value, names) for key, value in values.items()}
    return ServiceMailView(
        lang=texts.lang,
        dir=texts.direction,
        title=settings.site.name,
        subject=texts.format(_text_name(mail, "subject"), **values),
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
        isolated_paragraphs=(texts.format_html(_text_name(mail, "intro"), **isolated),),
        note=NOTE if note else "",
        note_lang=settings.site.language,
        note_text=tuple(note),
        button=texts.format(_text_name(mail, "button"), **values) if "url" in mail.values else "",
        url=mail.values.get("url", ""),
        issues=tuple(issues),
        after=texts.format(_text_name(mail, "after"), **values),
    )


def _isolate_names(value: str, names: Iterable[str]) -> Markup:
    """Return the HTML of a value, each of the *names* in it, or else all of it, in its own text direction (UAX #9)."""
    found = sorted((name for name in names if name in value), key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, found or [value]))})", value)
    isolated = Markup('<span dir="auto">{}</span>')
    return Markup().join(isolated.format(part) if n % 2 else part for n, part in enumerate(parts))


def _text_name(mail: ServiceMail, part: str) -> str:
    is_by_reply = "reply" in mail.values and part != "button"
    return f"mail_{'reply' if is_by_reply else mail.kind}_{part}"
