"""The numbers and words in which the parts of a series differ."""

import pytest

from feeds.core.curation.series import are_parts, part_numbers

NUMBERS = {
    "on Saturday March 16": ["saturday", "march", "16"],
    "SAT 16 MAR": ["sat", "16", "mar"],
    "you may march on, and the sun sets": [],
    "8.5 Beta 1, then rc2": ["8", "5", "beta", "1", "rc", "2"],
    "Part II of the First": ["ii", "first"],
    "am Samstag, den 3. März, zum zweiten Mal": ["samstag", "3", "märz", "zweiten"],
    "achtzehn Vögel": [],
    "Part Two of one day": ["part two"],
    "Teil zwei von zwei Tagen": ["teil zwei"],
    "その二 その一方で": ["その二"],
    "第三回 5月(土) 後編": ["5", "第三", "(土)", "後編"],
    "一般の話": [],
    "الثلاثاء ٣ مايو": ["الثلاثاء", "٣", "مايو"],
}


@pytest.mark.parametrize(("plain", "expected"), NUMBERS.items(), ids=NUMBERS)
def test_digits_and_counting_words_are_found(plain, expected):
    """Digits of any script, months, weekdays, ordinals and stages are found; words that only look like them are not."""
    assert part_numbers(plain) == expected


def test_titles_of_parts_differ_in_what_counts():
    """Titles name different parts if their counting words differ and the other words do not, however written."""
    assert are_parts("Notes of March", "Notes of May")
    assert are_parts("Release 1.97.0", "Release 1.97.0.1")
    assert not are_parts("NOTES OF MARCH", "Notes of March")
    assert are_parts("会報 第三号", "会報 第四号")
    assert are_parts("12", "13")
    assert are_parts("A trip", "A trip, part two")
    assert are_parts("Die Reise, Teil eins", "Die Reise, Teil zwei")
    assert not are_parts("One trip", "A trip")
    assert not are_parts("Meetup in Berlin", "Meetup in Hamburg")
    assert not are_parts("How we bake, 7653", "The salt of the earth")
