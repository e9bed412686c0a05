"""The language of a page."""

import pytest

from feeds.web.languages import choose_language

_SHIPPED = ("ar", "de", "en", "he", "id", "ja", "pt", "pt-PT", "zh-Hans", "zh-Hant")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        *(("zh-TW,zh;q=0.9", "zh-Hant"), ("zh-HK", "zh-Hant"), ("zh-CN", "zh-Hans"), ("zh", "zh-Hans")),
        *(("zh-SG, en", "zh-Hans"), ("zh-hant-mo", "zh-Hant"), ("iw", "he"), ("in-ID", "id")),
        *(("pt-BR", "pt"), ("pt-pt", "pt-PT"), ("pt-MZ", "pt-PT"), ("de-AT,en;q=0.5", "de")),
        *(("nb, de;q=0.4", "de"), ("xx", None), ("", None), ("*", None), ("en;q=0", None)),
        *((f"{'de-' * 5_000}at, ja", "ja"), ("a-" * 17 + "a", None)),
    ],
)
def test_the_nearest_language_is_chosen(accepted, expected):
    """A browser's languages find the shipped ones by region, script, parent or current code; others find none."""
    assert choose_language(accepted, _SHIPPED) == expected
