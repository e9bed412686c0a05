"""Tables of posts in letters."""

import re

import pytest

from feeds.core.newsletters.mailhtml import MailStyle, render_mail_html
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.text import parse_html

BASE = "https://example.com/a/"
PRICES = """
| Train | From | To | Seats | Price |
|:--|:-:|---|--:|--:|
| Night 4 | Basel | Oslo | 1 240 | 12,50 € |
| Night 5 | Basel |  | 96 | |
"""


def tables(html, **style):
    """Return the tables of a letter."""
    return list(parse_html(render_mail_html(html, BASE, MailStyle(**style))).iter("table"))


def table(markdown, **style):
    return tables(render_markdown(markdown), **style)[0]


def of(cells, *columns):
    """Return a Markdown table of one row below a head of letters."""
    head = "|".join("abcdefgh"[: len(cells)])
    return f"|{head}|\n|{'|'.join(columns or ['-'] * len(cells))}|\n|{'|'.join(cells)}|\n"


ALIGNED = {
    "comrak": (of(["x", "5", "y"], ":-", "-:", ":-:"), [None, "right", "center"]),
    "a generator that writes styles": (
        '<table><tr><td style="text-align:left">x<td style="text-align: right;"> 5<td style="TEXT-ALIGN:Center">y',
        [None, "right", "center"],
    ),
    "HTML of the post": ("<table><tr><td>x<td align=right>5<td align=justify>y</table>", [None, "right", None]),
}


@pytest.mark.parametrize(("markdown", "sides"), ALIGNED.values(), ids=ALIGNED)
def test_cells_are_aligned_as_in_the_post(markdown, sides):
    """The side is in an attribute for Outlook and in the style; where it is that of the lines, in neither."""
    cells = list(table(markdown).iter("td"))
    assert [cell.get("align") for cell in cells] == sides
    for cell, side in zip(cells, sides, strict=True):
        assert (f"text-align:{side}" in cell.get("style")) == (side is not None)


def test_cells_start_on_the_right_in_a_script_from_right_to_left():
    """Rows are aligned to the right, and the space between cells is at their left; `:-` stays left."""
    found = table(of(["س", "٥"], "-", ":-"), start="right")
    assert {row.get("align") for row in found.iter("tr")} == {"right"}
    first, second = found.iter("td")
    assert "padding:8px 0 8px 12px" in first.get("style")
    assert (first.get("align"), second.get("align")) == (None, "left")


NUMBERS = ["1 240", "12,50 €", "US$ 5", "−3 °C", "2026-11-29", "10–12", "1 000 – 2 000 kWh", "٣ ٤٥٦", "3 万人", "1/2"]
WORDS = [
    "4 words of a text",
    "x",
    "",
    "step 5 of 6",
    "12 monkeys went",
    "+",
    "5" * 30 + " 5",
    "23–29 November",
    "5 o’clock",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_never_breaks(number):
    """A cell with a quantity, a date or a range is one line; words may break, but not inside."""
    found = table(of([number, "word"]))
    cell, other = found.iter("td")
    assert "white-space:nowrap" in cell.get("style")
    assert "nowrap" not in other.get("style")
    assert "overflow-wrap:break-word" in found.get("style")


@pytest.mark.parametrize("word", WORDS)
def test_words_may_break(word):
    """A text that only has a number in it is not one."""
    assert "nowrap" not in next(table(of([word, "x"])).iter("td")).get("style")


@pytest.mark.parametrize("digits", ["1240", "1,240.5", "7"])
def test_digits_alone_need_no_style(digits):
    """No line ends between digits, points and commas, so a long table saves these bytes."""
    assert "nowrap" not in next(table(of([digits, "x"])).iter("td")).get("style")


NARROW = {
    "four numbers": ["1 240", "96", "3.5 %", "7"],
    "a word and its meaning": ["Term", "What it means, in a sentence that takes some lines on a phone."],
    "three short words": ["Monday", "closed", "09:00"],
    "one column": ["x" * 100],
    "four columns that just fit": ["23–29 Jan Feb", "1234567", "123456", "1234567"],
    "Japanese": ["月曜日", "休み", "九時から"],
}
WIDE = {
    "five columns": ["1", "2", "3", "4", "5"],
    "three sentences": ["A sentence of words."] * 3,
    "words that do not break": ["Donaudampfschiff", "Kraftfahrzeughaftpflicht", "x"],
    "an address": ["x", "https://example.com/a/long/address/that/does/not/break"],
    "four phrases in Japanese": ["天気が良い日の午後"] * 4,
}


@pytest.mark.parametrize("cells", NARROW.values(), ids=NARROW)
def test_a_narrow_table_stays_one_on_a_phone(cells):
    """It has no class that a style sheet for phones could change."""
    found = table(of(cells))
    assert found.get("class") is None
    assert not found.findall(".//*[@class]")


@pytest.mark.parametrize("cells", WIDE.values(), ids=WIDE)
def test_a_wide_table_becomes_cards_on_a_phone(cells):
    """The first cell is the title; others begin with the head of their column, hidden unless a style sheet shows it."""
    found = table(of(cells))
    assert found.get("class") == "s"
    title, *others = found.iter("td")
    assert title.get("class") == "f"
    assert title.find("b") is None
    names = [cell[0] for cell in others]
    assert [name.text for name in names] == [f"{head} " for head in "bcdefgh"[: len(others)]]
    assert {name.get("style") for name in names} == {"display:none;mso-hide:all"}


def test_cards_have_no_empty_cells_and_no_second_head():
    """Both are hidden on a phone; the table without a style sheet has them."""
    found = table(PRICES)
    assert [cell.get("class") for cell in found.iter("td")] == ["f", *[None] * 4, "f", None, "e", None, "e"]
    assert found.find("thead").get("class") == "e"
    assert [cell.get("scope") for cell in found.iter("th")] == ["col"] * 5


HEADS = {
    "a head without thead": "<table><tr>" + "<th>n</th>" * 5 + "</tr><tr>" + "<td>1</td>" * 5 + "</tr></table>",
    "with a caption": "<table><caption>c</caption><tr>" + "<th>n" * 5 + "<tr><th>1" + "<td>1" * 4 + "</table>",
}


@pytest.mark.parametrize("html", HEADS.values(), ids=HEADS)
def test_a_first_row_of_heads_is_the_head(html):
    """Its cells are the heads of columns, those of other rows are heads of rows."""
    found = tables(html)[0]
    assert [cell.get("scope") for cell in found.iter("th")][:5] == ["col"] * 5
    assert [cell.get("scope") for cell in found.find("tbody").iter("th")] == ["row"] * (len(found.findall(".//th")) - 5)
    assert found.find("tbody")[0][1][0].text == "n "


MERGED = {
    "columns": "<table><thead><tr>" + "<th>n" * 5 + "<tbody><tr><td colspan=2>1" + "<td>1" * 3 + "</table>",
    "rows": "<table><thead><tr>" + "<th>n" * 5 + "<tbody><tr><td rowspan=2>1" + "<td>1" * 4 + "<tr><td>2</table>",
    "no heads": "<table><tr>" + "<td>1" * 5 + "</table>",
}


@pytest.mark.parametrize("html", MERGED.values(), ids=MERGED)
def test_cells_whose_column_is_not_known_have_no_name(html):
    """The rows become blocks below the heads that there are."""
    found = tables(html)[0]
    assert found.get("class") == "s"
    assert found.find(".//b") is None
    assert found.find(".//*[@class]") is None


def test_a_table_inside_a_table_is_styled_by_itself():
    """The names of the outer columns do not get into it."""
    inner = "<table><tr><td>deep</table>"
    outer = tables("<table><thead><tr>" + "<th>n" * 5 + f"<tbody><tr><td>{inner}" + "<td>1" * 4 + "</table>")
    assert [one.get("class") for one in outer] == ["s", None]
    assert outer[1].find(".//b") is None


def test_a_cell_with_a_picture_is_not_empty():
    """A card shows it with the head of its column."""
    found = table("|a|b|c|d|e|\n|-|-|-|-|-|\n|![x](/x.png)|![x](/x.png)|3|4|5|")
    first, second, *_ = found.iter("td")
    assert (first.get("class"), second.get("class")) == ("f", None)
    assert second[0].text == "b "


@pytest.mark.parametrize(("word", "breaks"), [("Planned", False), ("x" * 30, False), ("https://x.example/" * 3, True)])
def test_words_break_only_if_they_are_longer_than_half_a_phone(word, breaks):
    """The cell around the table has `word-break:break-word`, which would let a column be narrower than its words."""
    found = table(of([word, "1,240"]))
    assert "word-break:normal" in found.get("style")
    assert ("overflow-wrap:anywhere" in next(found.iter("td")).get("style")) is breaks


@pytest.mark.parametrize(("columns", "size"), [(2, 16), (4, 16), (5, 14), (8, 14)])
def test_many_columns_are_set_smaller(columns, size):
    """So six of them fit a phone also without a style sheet, which makes cards of 16 px."""
    assert f"font-size:{size}px" in table(of(["word"] * columns)).get("style")


FITTING = {
    "five columns of long words": ["Zusammenkunft"] * 5,
    "six columns with sentences": ["Reiseleitung", "word " * 30, "12,50 €", "x", "word " * 9, "2026-11-29"],
    "prose": ["word " * 50, "y"],
}


@pytest.mark.parametrize("cells", FITTING.values(), ids=FITTING)
def test_a_table_that_fits_the_letter_breaks_words_on_phones_only(cells):
    """A word that is too long for a phone may break; its cell is wider than the word, so that it breaks only there."""
    found = table(of(cells))
    assert "table-layout" not in found.get("style")
    for cell, text in zip(found.iter("td"), cells, strict=True):
        width = re.search(r";width:(\d+)px;overflow-wrap:anywhere;hyphens:auto$", cell.get("style"))
        assert bool(width) is (len(text) > 11 and " " not in text)
        assert width is None or int(width[1]) >= len(text) * 8 * 1.2


#: Cells, the size of the text, and the cells in which words may break on a phone.
ON_A_PHONE = {
    "four numbers that fit in small": (["September", "31.900 kg", "31.120 kg", "Abweichung"], 14, []),
    "long words": (["Donaudampfschiff", "Kraftfahrzeughaft", "Versicherung", "x"], 14, [0, 1]),
    "a long word beside numbers": (["Wahrscheinlichkeit", "1 234 567 €", "−12,5 °C", "100 %"], 14, [0]),
    "a link and code": (["[Dokumentation](/a)", "`configuration_value`", "Bibliothek", "x"], 14, [1]),
    "short words": (["Montag", "zu", "9:30", "x"], 16, []),
    "Japanese": (["連絡船の名前と時刻", "インフラストラクチャー", "9:30", "とくになし"], 16, []),
}


@pytest.mark.parametrize(("cells", "size", "breaking"), ON_A_PHONE.values(), ids=ON_A_PHONE)
def test_a_table_of_four_columns_fits_a_phone_without_a_style_sheet(cells, size, breaking):
    """Its text is small before a word breaks; numbers never break; what cannot break fits between the margins."""
    found = table(of(cells))
    assert f"font-size:{size}px" in found.get("style")
    styles = [cell.get("style") for cell in found.iter("td")]
    assert [n for n, style in enumerate(styles) if "overflow-wrap:anywhere" in style] == breaking


TOO_WIDE = {
    "one word": (["x" * 120, "y"], [True, False]),
    "an address beside short words": (
        ["https://example.com/" + "a" * 40, "a word", "12", "b", "c"],
        [True] + [False] * 4,
    ),
    "words in all columns": (["Reiseversicherungen"] * 6, [True] * 6),
    "numbers in all columns": (["1 000 – 2 000 kWh"] * 6, [True] * 6),
}


@pytest.mark.parametrize(("cells", "breaks"), TOO_WIDE.values(), ids=TOO_WIDE)
def test_only_the_longest_words_break_in_a_table_that_is_too_wide(cells, breaks):
    """Their cells have a width, so that the table fits the letter; the other cells have room for their words."""
    found = [cell.get("style") for cell in table(of(cells)).iter("td")]
    assert ["overflow-wrap:anywhere" in style for style in found] == breaks
    assert not any("nowrap" in style for style, broken in zip(found, breaks, strict=True) if broken)
    widths = [int(width) for style in found for width in re.findall(r";width:(\d+)px", style)]
    assert len(widths) == sum(breaks)
    assert sum(widths) + 12 * len(cells) <= 600


def test_a_long_table_of_cards_takes_less_than_twice_the_bytes():
    """200 rows of six columns with names take less than twice what they take as a plain table."""
    head, row = "|One|Two|Three|Four|Five|Six|\n|-|-|-|-|-|-|\n", "|a word|12|34|5 %|x|y|\n"
    cards = render_mail_html(render_markdown(head + row * 200), BASE, MailStyle())
    plain = re.sub(r'<b class="h"[^>]*>\w+ </b>', "", cards)
    assert plain.count("<td") == 1200
    assert len(plain) < len(cards) < 2 * len(plain)
