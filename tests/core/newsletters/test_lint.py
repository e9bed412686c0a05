"""A letter as a stranger would judge it."""

import pytest
from msgspec.structs import replace

from feeds.core.newsletters import lint
from feeds.model import Letter
from feeds.settings import Theme

LEAVE = "mailto:desk@example.com?subject=unsubscribe"
GOOD = Letter(
    lang="en",
    subject="A subject",
    html='<p>Words <a href="https://example.com/">more</a> <img src="https://x/a.png" alt="A"> '
    f'<a href="{LEAVE}">x</a></p>',
    text=f"Words\n{LEAVE}\n",
)
BAD = {
    "too long": ({"html": GOOD.html + "x" * 100_000}, "error", "the HTML takes"),
    "too long in base64": ({"html": GOOD.html + "あ" * 25_000}, "error", "the HTML takes"),
    "a long subject": ({"subject": "x" * 61}, "warning", "the subject has 61 characters"),
    "a relative link": ({"html": GOOD.html + '<a href="/a">x</a>'}, "error", "the link '/a' leads nowhere"),
    "a fragment": ({"html": GOOD.html + '<a href="#a">x</a>'}, "error", "the link '#a' leads nowhere"),
    "an open link": ({"html": GOOD.html + '<a href="http://a.example/">x</a>'}, "warning", "is not encrypted"),
    "a tracker": (
        {"html": GOOD.html + '<a href="https://a.example/?utm_source=x">x</a>'},
        "warning",
        "carries a tracker",
    ),
    "no alt": ({"html": GOOD.html + '<img src="https://x/b.png">'}, "error", "has no alt"),
    "an empty alt": ({"html": GOOD.html + '<img src="https://x/b.png" alt=" ">'}, "warning", "says nothing in words"),
    "no text": ({"text": " \n"}, "error", "the text part is empty"),
    "no way to leave": ({"text": "Words"}, "error", "there is no way to leave in both parts"),
}


def test_a_good_letter_is_not_found_fault_with():
    """Nothing is said for the sake of saying something."""
    assert list(lint.lint_letter(GOOD, "x")) == []


@pytest.mark.parametrize(("change", "level", "what"), BAD.values(), ids=BAD)
def test_each_fault_is_told_with_its_reason_and_remedy(change, level, what):
    """What, where, why it matters, what to do."""
    found = [remark for remark in lint.lint_letter(replace(GOOD, **change), "next issue") if what in remark.what]
    assert [(remark.level, remark.where) for remark in found] == [(level, "next issue")]
    assert found[0].why
    assert found[0].do


def test_contrast_is_what_wcag_reckons():
    """21 : 1 for black on white, 1 : 1 for a colour on itself, whichever is named first."""
    assert lint.contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert lint.contrast_ratio("#777777", "#777777") == 1
    assert (
        lint.contrast_ratio("#767676", "#ffffff")
        == lint.contrast_ratio("#ffffff", "#767676")
        == pytest.approx(4.54, abs=0.01)
    )


def test_a_theme_must_be_legible_in_both_schemes():
    """The shipped one is; a pale accent is told for the light scheme, a dark one for the dark."""
    assert list(lint.lint_theme(Theme(), "t")) == []
    found = list(lint.lint_theme(Theme(accent="#cccccc", accent_dark="#333333"), "t"))
    assert [(remark.where, remark.do) for remark in found] == [
        ("t.accent", "take a darker colour"),
        ("t.accent_dark", "take a lighter colour"),
    ]
