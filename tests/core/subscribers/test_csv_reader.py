"""Reading CSV files of other programs."""

import io
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.subscribers.csv_reader import MAX_ROW_LINES, RejectedRow, detect_encoding, printable, read_table

TABLE = "email;name\nada@b.org;Åsa\n"


def _lines(text):
    return io.StringIO(text, newline="")


def _table(text):
    header, rows = read_table(_lines(text))
    return header, list(rows)


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        *(("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le")),
        *(("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("cp1252", "utf-8")),
    ],
)
def test_the_encoding_is_known_by_its_mark_or_its_nuls(codec, name):
    """An encoding is detected by its byte order mark or by its NUL bytes."""
    assert detect_encoding(TABLE.encode(codec)) == name
    read = TABLE.encode(codec).decode(name, errors="replace")
    assert read.replace("\ufffd", "Å") == TABLE


def test_a_big_endian_mark_is_known_too():
    """A big-endian byte order mark is detected, and the codec removes it."""
    assert ("\ufeff" + TABLE).encode("utf-16-be").decode(
        detect_encoding(("\ufeff" + TABLE).encode("utf-16-be"))
    ) == TABLE


@pytest.mark.parametrize("codec", ["cp1252", "shift_jis", "gbk", "big5", "euc_jp", "euc_kr", "cp1251"])
def test_older_encodings_lose_letters_but_no_cells(codec):
    """A file in an older encoding, read as UTF-8, keeps its separators and addresses."""
    letters = {
        "cp1252": "Zoë Ñuñez",
        "cp1251": "Привет",
        "euc_kr": "한국어 이름",
        "gbk": "中文名字镕",
        "big5": "中文功許",
    }
    text = f'email,name,lang\nada@b.org,"{letters.get(codec, "表示ソ、十貼能")}",ja\n'
    read = text.encode(codec).decode(detect_encoding(text.encode(codec)), errors="replace")
    ((_, cells),) = _table(read)[1]
    assert (cells[0], cells[2]) == ("ada@b.org", "ja")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        *((b"PK\x03\x04...", "extract it"), (b"\xd0\xcf\x11\xe0...", "Excel"), (b"\x1f\x8b\x08", "gzip")),
        *((b"%PDF-1.7", "PDF"), (b"SQLite format 3\x00", "database")),
    ],
)
def test_what_is_no_text_is_named(head, message):
    """A binary file (ZIP, Excel, PDF) is rejected with its format and what to do."""
    with pytest.raises(ValueError, match=message):
        detect_encoding(head)


@given(st.binary(max_size=200))
def test_whatever_a_file_begins_with_it_can_be_decoded_or_is_refused_in_words(head):
    """Any bytes can be decoded with the detected encoding, or are rejected with a message."""
    try:
        assert isinstance(head.decode(detect_encoding(head), errors="replace"), str)
    except ValueError as error:
        assert str(error).startswith("this is ")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_the_one_the_header_has(separator):
    """The separator is the one of the header; separators inside quoted column names do not count."""
    header, rows = _table(f'email{separator}"a,b;c,d;e,f"{separator}x\nada@b.org{separator}1{separator}2\n')
    assert header == ["email", "a,b;c,d;e,f", "x"]
    assert rows == [(2, ["ada@b.org", "1", "2"])]


def test_excels_hint_at_the_separator_is_followed():
    """A first line `sep=;` names the separator, and the next line is the header."""
    assert _table("sep=;\nemail;a,b,c\nada@b.org;1\n") == (["email", "a,b,c"], [(3, ["ada@b.org", "1"])])


def test_rows_are_numbered_by_the_line_they_start_on():
    """A row has the number of the line it starts on; blank lines and multi-line cells are counted."""
    text = 'email,note\r\n\r\na@b.org,"one\r\ntwo\r\nthree"\r\n, \r\nb@b.org,\r\n'
    assert _table(text)[1] == [(3, ["a@b.org", "one\r\ntwo\r\nthree"]), (7, ["b@b.org", ""])]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_line(line_end):
    """LF, CR LF and CR all end a line."""
    assert _table(line_end.join(["email", "a@b.org", "b@b.org"]))[1] == [(2, ["a@b.org"]), (3, ["b@b.org"])]


@pytest.mark.parametrize("text", ["", "\n\n", "\r\n \r\n", "sep=,\n"])
def test_an_empty_file_is_refused_in_words(text):
    """A file without a non-empty line is rejected with what it needs."""
    with pytest.raises(ValueError, match="the file is empty"):
        _table(text)


def test_a_header_that_is_no_row_is_refused_in_words():
    """A header that is not valid CSV is rejected with its line number."""
    with pytest.raises(ValueError, match="line 1, which must name the columns"):
        _table('email,"na"me"\n')


@pytest.mark.parametrize(
    "fault",
    [
        *('a@b.org,"Ann', 'a@b.org,"Ann" Smith', 'a@b.org,"say "hi""', '"a@b.org,Ann,active', 'a@b.org,"'),
        *("a@b.org," + "x" * 131_073, 'a@b.org,"' + "x" * 131_073),
    ],
    ids=lambda fault: fault[:20],
)
def test_a_fault_costs_its_own_line_only(fault):
    """An invalid line is rejected alone: the rows after it are read, however they are quoted."""
    rest = 'b@b.org,"Bob"\nc@b.org,Cy\n"d@b.org","Dora ""D"" D"\n'
    refused, *rows = _table(f"email,name\n{fault}\n{rest}")[1]
    assert isinstance(refused, RejectedRow)
    assert refused.number == 2
    assert "is not a valid CSV row" in refused.reason
    assert rows == [(3, ["b@b.org", "Bob"]), (4, ["c@b.org", "Cy"]), (5, ["d@b.org", 'Dora "D" D'])]


def test_a_quotation_mark_that_is_never_closed_holds_no_more_than_a_few_lines():
    """After an unclosed quotation mark only a few lines are buffered before rows are yielded again."""
    read = 0

    def endless():
        nonlocal read
        yield from ["email,name\n", '"a@b.org\n']
        while True:
            read += 1
            yield f"{read}@b.org,x\n"

    refused, *rows = islice(read_table(endless())[1], 1000)
    assert refused.number == 2
    assert f"within {MAX_ROW_LINES} lines" in refused.reason
    assert rows == [(n + 2, [f"{n}@b.org", "x"]) for n in range(1, 1000)]
    assert read < 1000 + MAX_ROW_LINES


def test_quotation_marks_that_open_on_every_line_hold_no_more_than_a_few_lines():
    """If each line closes the quotation mark of the line before and opens another, each line is rejected alone."""
    lines = ['a","b,"c\n'] * 3000
    assert [r.number for r in read_table(["email\n", '"\n', *lines])[1] if isinstance(r, RejectedRow)][:3] == [2, 3, 4]


@given(st.lists(st.text('",;\t\n\r\x00abü@ ', max_size=12), max_size=30))
def test_no_lines_raise_and_none_is_told_twice(lines):
    """Any lines give rows with increasing line numbers, and raise nothing."""
    _, rows = read_table(["email,name\n", *lines])
    numbers = [row.number if isinstance(row, RejectedRow) else row[0] for row in rows]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(2, len(lines) + 2))


def test_what_is_shown_fits_on_a_line():
    """A printable text has no control sequence, no direction mark, and 80 characters at most."""
    assert printable("a\x1b[31m\nb\u202ec") == "a\ufffd[31m b\ufffdc"
    assert len(printable("x" * 1000)) == 80


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (r'"a@b.org","The \"Q\", of R","x"', ["a@b.org", 'The "Q", of R', "x"]),
        (r'"a@b.org","\"","x"', ["a@b.org", '"', "x"]),
        (r'"a@b.org","C:\","x"', ["a@b.org", "C:\\", "x"]),
        (r'"a@b.org",a \"b\" c,"x"', ["a@b.org", r"a \"b\" c", "x"]),
    ],
)
def test_a_quotation_mark_may_have_a_backslash(line, cells):
    """A quotation mark with a backslash is read as one where the row has the header's cells then, and only there."""
    _, rows = read_table(["email,name,status\n", f"{line}\n", "c@d.org,y,z\n"])
    assert list(rows) == [(2, cells), (3, ["c@d.org", "y", "z"])]


def test_a_row_with_a_nul_is_refused():
    """A row with a NUL character is rejected, since the file is damaged or not read in its encoding."""
    _, rows = read_table(["email,name\n", "a@b.org,A\0da\n", "c@d.org,C\n"])
    rejected, kept = rows
    assert "NUL character" in rejected.reason
    assert kept == (3, ["c@d.org", "C"])
