"""Links inside a post, in entries and in letters."""

import re
from html import unescape
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import MailStyle, render_mail_html
from feeds.core.posts.footnotes import keep_links_inside
from feeds.core.posts.markdown import sanitize_html
from feeds.core.posts.text import parse_html
from tests.core.factory import rendered

PAGE = "https://example.com/a/"
NOTES = {
    "a note": "a[^1].\n\n[^1]: note",
    "a note with two references": "a[^1] b[^1].\n\n[^1]: note",
    "a name in another script": "a[^注] b[^2].\n\n[^注]: eins\n[^2]: zwei",
    "a name with signs": "a[^a&b].\n\n[^a&b]: note",
    "a note in a note": "a[^1].\n\n[^1]: note[^2]\n[^2]: other",
    "code in a note": "a[^1].\n\n[^1]: note\n\n        code",
    "kramdown's in HTML": '<sup id="fnref:1"><a href="#fn:1">1</a></sup>\n\n<p id="fn:1"><a href="#fnref:1">b</a></p>',
    "numbers without a sign": '<sup id="fnref1"><a href="#fn1">1</a></sup>\n\n<p id="fn1"><a href="#fnref1">b</a></p>',
}


def entry_html(body, entry_id="tag:example.com,2026:a"):
    """Return a post as its entry shows it."""
    html = sanitize_html(rendered("title: A", body).html, PAGE)
    return keep_links_inside(html, PAGE, entry_id)


def ids_and_links(html):
    """Return the ids of *html*, and the targets of its links, decoded, as browsers do, if no id is the same."""
    root = parse_html(html)
    ids = [one.get("id") or one.get("name") for one in root.iter() if one.get("id") or one.get("name")]
    return ids, [link if link[1:] in ids else unquote(link) for one in root.iter("a") if (link := one.get("href"))]


@pytest.mark.parametrize("body", NOTES.values(), ids=NOTES)
def test_footnotes_are_linked_inside_their_entry(body):
    """Each link of a footnote leads to an id of its own entry, and no other entry has this id."""
    ids, links = ids_and_links(entry_html(body))
    assert len(links) >= 2
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert len(set(ids)) == len(ids)
    others, _ = ids_and_links(entry_html(body, "tag:example.com,2026:b"))
    assert set(ids).isdisjoint(others)


def test_the_id_of_a_footnote_names_its_entry():
    """An id is `fn-`, eight digits for the entry, and the name of the note; it is the same in each run."""
    assert re.findall(r'<li id="([^"]*)', entry_html(NOTES["a note"])) == ["fn-ad3ca4a7-1"]


FRAGMENTS = {
    "a heading": ("## One two\n\n[a](#one-two)", "#one-two"),
    "a heading with an id of its own": ("## One {#start}\n\n[a](#start)", "#start"),
    "a heading in another script": ("## 見出し\n\n[a](#見出し)", "#見出し"),
    "an anchor": ('<a name="x"></a>b [a](#x)', "#x"),
    "the whole address": (f"## One\n\n[a]({PAGE}#one)", "#one"),
    "the path of the page": ("## One\n\n[a](/a/#one)", "#one"),
    "an id that the entry does not have": ("## One\n\n[a](#two)", f"{PAGE}#two"),
    "the top of the page": ("## One\n\n[a](#)", PAGE),
    "another page": ("## One\n\n[a](/b/#one)", "https://example.com/b/#one"),
}


@pytest.mark.parametrize(("body", "link"), FRAGMENTS.values(), ids=FRAGMENTS)
def test_a_link_to_a_fragment_stays_in_the_entry_if_it_is_there(body, link):
    """A link to an id of the entry is relative; one to another fragment leads to a page."""
    assert ids_and_links(entry_html(body))[1] == [link]


def test_code_about_fragments_is_not_changed():
    """What looks like a link or an id in a text is text."""
    code = '`<a href="https://example.com/a/#fn-1" id="fn-1">`'
    html = entry_html(f"{code} a[^1]\n\n[^1]: note")
    assert code.strip("`") in unescape(html)


@pytest.mark.parametrize("body", list(NOTES.values())[:6], ids=list(NOTES)[:6])
def test_letters_excerpts_and_reading_time_have_only_the_numbers(body):
    """In a letter a footnote has no links, and neither excerpt nor letter has its arrow."""
    text = rendered("title: A", body)
    letter = render_mail_html(text.html, PAGE, MailStyle())
    assert ids_and_links(letter) == ([], [])
    assert "<sup>1</sup>" in letter
    assert "↩" not in letter + text.excerpt


def test_an_id_that_is_no_footnote_stays_as_it_is_written():
    """An entry without footnotes and links to its ids is not changed at all."""
    html = sanitize_html("<a name=\"What's & next\"></a><h2 id='fnord'>A</h2>", PAGE)
    assert keep_links_inside(html, PAGE, "x") == html


@given(st.text(st.sampled_from('ab1<>"&#[]^: \n()-'), max_size=60))
def test_no_text_loses_anything(body):
    """Whatever a text holds, only ids and links are changed."""
    html = sanitize_html(rendered("title: A", f"{body}\n\nx[^1]\n\n[^1]: note").html, PAGE)
    kept = keep_links_inside(html, PAGE, "x")
    without = r' (?:id|name|href)="[^"]*"'
    assert re.sub(without, "", kept) == re.sub(without, "", html)
