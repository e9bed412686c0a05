"""The pages for readers: the values that each of their templates gets, and samples of them to find errors with."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any

from feeds.config_types import Crontab
from feeds.core.posts.locales import language_name
from feeds.errors import TemplateError
from feeds.jobs.site import Site
from feeds.jobs.subscribers.change_address import AddressChange
from feeds.jobs.subscribers.confirm import LinkState
from feeds.jobs.subscribers.leave import Departure
from feeds.jobs.subscribers.preferences import PreferencesView, Subscription, Topic
from feeds.jobs.subscribers.sign_up import OpenForm, SignupAnswer
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.core.newsletters.i18n import Texts

#: Returns the address of a page in a language.
LanguageLink = Callable[[str], str]


def render_reader_page(
    site: Site,
    template: str,
    values: Mapping[str, Any],
    texts: "Texts",
    *,
    style: str,
    link: Callable[[str], str],
    link_language: LanguageLink,
) -> str:
    """Return the HTML of a page, which extends `pages/reader.html`.

    The template gets *values* as `page`, with `lang`, `dir`, `site_name`, `site_url`, `style` and `translations`, the
    page in each language of the site; `t` has the fixed texts, `text(name, …)` and `plural(name, count)` fill in those
    with placeholders, and `link(path)` is a path. *style* is the path of the style sheet.

    Raises:
        TemplateError: the template has a fault.
    """
    settings = site.settings.site
    page = {
        "lang": texts.lang,
        "dir": texts.direction,
        "site_name": settings.name,
        "site_url": settings.url,
        "style": style,
        "translations": _language_links(site, texts.lang, link_language),
    }
    functions = {"text": texts.format_isolated, "plural": texts.plural, "link": link}
    return site.templates.render(template, {"page": page | dict(values), "t": texts.plain, **functions})


def _language_links(site: Site, shown: str, link: LanguageLink) -> list[dict[str, str]]:
    """Return the languages of the site with the page in each; none if the page is in the only one."""
    languages = site.languages
    if languages in ((), (shown,)):
        return []
    return [{"lang": lang, "name": language_name(lang), "url": link(lang)} for lang in languages]


# Samples ----------------------------------------------------------------------------------------------------------


_Samples = list[dict[str, Any]]


def find_page_errors(site: Site) -> Iterator[TemplateError]:
    """Yield the error of each page that cannot be shown: with every optional part, or with none."""
    texts = site.texts()
    for template, sample in _SAMPLES.items():
        for values in sample():
            try:
                render_reader_page(site, template, values, texts, style="/style.css", link=str, link_language=str)
            except TemplateError as e:
                yield e


_TITLE, _ADDRESS, _TOKEN = "Sample", "a…@example.com", "sample"
_CONSENT = {"consent": _TITLE, "wording": _TITLE, "token": _TOKEN}


def _sample_errors() -> _Samples:
    return [{"status": status} for status in (400, 404, 405, 410, 429, 500, 503)]


def _sample_signups() -> _Samples:
    newsletters = [Newsletter(name=f"sample-{n}", schedule=Crontab("0 8 * * 1")) for n in range(2)]
    forms = [OpenForm(newsletters=tuple(newsletters[:n]), consent=_TITLE, token=_TOKEN) for n in (1, 2)]
    wrongs = ["", *(answer.name.lower() for answer in SignupAnswer if answer is not SignupAnswer.ACCEPTED)]
    shared = {"honeypot": "website", "email": "", "chosen": [newsletters[0].name]}
    return [{"form": form, "wrong": wrong} | shared for form, wrong in product([None, *forms], wrongs)]


def _sample_confirmations() -> _Samples:
    return [{"state": state.value, "titles": titles} for state, titles in product(LinkState, [(), (_TITLE,)])]


def _sample_departures() -> Iterator[Departure]:
    """Yield a subscription with every value, without each, and that of a test letter."""
    for is_subscribed, is_test, undo in product((True, False), (True, False), ("", _TOKEN)):
        for title, address in ((_TITLE, _ADDRESS), ("", "")):
            yield Departure(
                title=title,
                address=address,
                lang=None,
                is_subscribed=is_subscribed,
                undo_token=undo,
                is_test=is_test,
            )


def _sample_leaves() -> _Samples:
    return [
        {"state": state, "found": found} | _CONSENT
        for state, found in product(("ask", "gone", "back"), _sample_departures())
    ]


def _sample_links() -> _Samples:
    values = {"email": "", "address": _ADDRESS, "token": ""}
    states = ("ask", "expired", "typed", "mailed", "not mailed")
    return [{"state": state, "wrong": wrong} | values for state, wrong in product(states, (True, False))]


def _sample_letter_links() -> _Samples:
    return [{"found": found, "token": _TOKEN} for found in _sample_departures()]


def _sample_preferences() -> _Samples:
    topics = (Topic(name=_TITLE, is_chosen=True), Topic(name="Other", is_chosen=False))
    full = (
        Subscription(name="sample", title=_TITLE, is_subscribed=True, topics=topics),
        Subscription(name="other", title="Other", is_subscribed=False, topics=()),
    )
    today = date(2026, 1, 1)
    views = [
        PreferencesView(
            email="ann@example.com", lang=lang, languages=("en",), subscriptions=them, paused_until=day, today=today
        )
        for lang, them, day in (("en", full, today), (None, (), None))
    ]
    rest = {"languages": [("en", "English")], "text": "", "pause": ""} | _CONSENT
    states = [("", ()), ("saved", ()), ("address", ()), ("", ("lang",)), ("", ("pause",)), ("", ("address", "erase"))]
    return [
        {"view": view, "stored": view, "done": done, "wrong": wrong} | rest
        for view, (done, wrong) in product(views, states)
    ]


def _sample_changes() -> _Samples:
    changes = (AddressChange(email="ann@example.com", lang=None, is_done=is_done) for is_done in (True, False))
    return [{"found": found, "token": _TOKEN} for found in changes]


#: Returns the values of each page, by its template: with every optional part, and with none.
_SAMPLES: Mapping[str, Callable[[], _Samples]] = {
    "pages/error.html": _sample_errors,
    "pages/signup.html": _sample_signups,
    "pages/signup_done.html": lambda: [{}],
    "pages/confirm.html": _sample_confirmations,
    "pages/leave.html": _sample_leaves,
    "pages/link.html": _sample_links,
    "pages/letter_link.html": _sample_letter_links,
    "pages/preferences.html": _sample_preferences,
    "pages/erased.html": lambda: [{}],
    "pages/address.html": _sample_changes,
}
#: The templates of the pages for readers.
READER_PAGES = tuple(_SAMPLES)
