"""The colours that result from a theme."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters import lint
from feeds.core.newsletters.palette import MIN_CONTRAST, contrast_ratio, dark_palette, light_palette, mix_colours
from feeds.settings import Theme
from feeds.themes import THEMES

COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@pytest.mark.parametrize("name", THEMES)
def test_every_ready_theme_is_legible(name):
    """All colours of the shipped themes have enough contrast in both schemes."""
    assert list(lint.lint_theme(Theme(**{"name": name} | THEMES[name]), "t")) == []


@given(COLOURS)
def test_the_colour_of_a_category_is_legible_in_a_dark_scheme(colour):
    """A dark colour is made lighter; one that is light enough stays as it is."""
    palette = dark_palette(Theme(categories={"Notes": colour}))
    assert contrast_ratio(palette.category("notes"), palette.paper) >= MIN_CONTRAST
    if contrast_ratio(colour, palette.tint) >= MIN_CONTRAST:
        assert palette.category("Notes") == colour


def test_a_category_without_a_colour_has_the_accent():
    """Names are compared without case and separators, as elsewhere."""
    palette = light_palette(Theme(categories={"Field notes": "#102030"}))
    assert (palette.category("field-notes"), palette.category("Other")) == ("#102030", Theme().accent)
    assert palette.category("Notes from the field", "Field Notes") == "#102030"


@given(COLOURS, COLOURS)
def test_a_mixture_lies_between_its_colours(one, other):
    """Nothing of the other is the one, all of it is the other."""
    assert (mix_colours(one, other, 0), mix_colours(one, other, 1)) == (one, other)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("ink", {"ink": "#999999"}),
        ("ink", {"paper": "#555555"}),
        ("accent", {"paper": "#777777", "ink": "#000000"}),
        ("categories.Notes", {"categories": {"Notes": "#eeeeee"}}),
        ("accent_dark", {"accent_dark": "#333333"}),
    ],
)
def test_a_colour_with_too_little_contrast_is_an_error_of_its_key(key, values):
    """The colours that result from paper, ink, accents and categories are measured, and the key is named."""
    assert f"t.{key}" in {one.where for one in lint.lint_theme(Theme(**values), "t")}
