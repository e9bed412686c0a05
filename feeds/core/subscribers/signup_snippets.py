"""The form that a static site shows: plain HTML that brings its visitor to the sign-up page."""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

#: Where each generator keeps a part of a page, and how another page includes it.
PLACES: Mapping[str, tuple[str, str]] = {
    "html": ("", ""),
    "jekyll": ("_includes/subscribe.html", "{% include subscribe.html %}"),
    "hugo": ("layouts/partials/subscribe.html", '{{ partial "subscribe.html" . }}'),
    "astro": ("src/components/Subscribe.astro", "<Subscribe />"),
}


def signup_form(page: str, newsletters: Sequence[str], texts: Mapping[str, str], lang: str) -> str:
    """Return the form for a sign-up *page*; *texts* are the fixed texts in its language.

    It has no script, no style and no token: with GET it opens the page, which is made fresh for each visitor.
    """
    chosen = "".join(f'  <input type="hidden" name="newsletter" value="{escape(name)}">\n' for name in newsletters)
    return (
        f'<form action="{escape(page)}" method="get" lang="{escape(lang)}">\n'
        f'  <label for="subscribe-email">{escape(texts["signup_address"])}</label>\n'
        '  <input id="subscribe-email" type="email" name="email" autocomplete="email" required>\n'
        f"{chosen}"
        f"  <button>{escape(texts['signup_subscribe'])}</button>\n"
        "</form>\n"
    )


def signup_link(page: str, newsletters: Sequence[str], texts: Mapping[str, str]) -> str:
    """Return a link to the sign-up *page*, where the address is entered."""
    query = urlencode([("newsletter", name) for name in newsletters])
    href = f"{page}?{query}" if query else page
    return f'<a href="{escape(href)}">{escape(texts["signup_subscribe"])}</a>\n'


def place_comment(generator: str) -> str:
    """Return where a generator's file goes, in words; empty for plain HTML."""
    file, include = PLACES[generator]
    return f"save this as {file}; include it with {include}" if file else ""
