"""Texts from the pages of the built site: found, reported and cached."""

import os
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.errors import ConfigError, FeedsError
from feeds.jobs.check import run_checks
from feeds.jobs.posts.listing import list_duplicates, list_posts
from feeds.jobs.preview import Preview
from tests.conftest import CONFIG, NEWSLETTER, NOW, SampleSite, asked

RENDERED = CONFIG + '[posts]\nrendered = "_site"\n'
WORDS = "These are the words that the author wrote, and the page shows all of them to its readers."
SOURCE = f"{WORDS}\n\n{{{{< colour >}}}}\n"


def page(site, path="2026/11/20/a/index.html", text="Made of ochre", words=WORDS):
    """Write a page of the built site with the words of a post and what a template tag has made."""
    file = site.folder / "_site" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    body = f"<nav>Menu</nav><article><h1>a</h1><p>{words}</p><p>{text}</p></article><footer>Imprint</footer>"
    file.write_text(f"<html><head><meta charset=utf-8></head><body>{body}</body></html>", "utf-8")
    return file


@pytest.fixture
def built(site):
    """A built site with a post that has a template tag."""
    site.configure(RENDERED)
    site.post("a", SOURCE)
    page(site)
    return site


def feed(site):
    return site.read("public/feeds/atom.xml")


def text_of_entry(site):
    return re.findall("<content.*?>(.*?)</content>", feed(site), re.DOTALL)[0]


def test_the_text_is_that_of_the_page(built):
    """An entry has the text of the page: what a template tag has made, and nothing of the rest; no warning is left."""
    report = built.publish()
    assert "Made of ochre" in text_of_entry(built)
    assert not re.search("Menu|Imprint|colour|h1", text_of_entry(built))
    assert report.warnings == []
    assert "Made of ochre" in re.findall("<summary.*?</summary>", feed(built), re.DOTALL)[0]


PLACES = {
    "a folder": ("https://example.com/", "/{slug}/", "a/index.html"),
    "a file": ("https://example.com/", "/{slug}.html", "a.html"),
    "a file of an address without ending": ("https://example.com/", "/{slug}", "a.html"),
    "a folder of an address without slash": ("https://example.com/", "/{slug}", "a/index.html"),
    "a file without ending": ("https://example.com/", "/{slug}", "a"),
    "below the path of the site": ("https://example.com/project/", "/{slug}/", "a/index.html"),
    "below the path of the site, in its folder": ("https://example.com/project/", "/{slug}/", "project/a/index.html"),
}


@pytest.mark.parametrize(("url", "permalink", "path"), PLACES.values(), ids=PLACES)
def test_the_page_is_found_by_its_address(built, url, permalink, path):
    """A page is found wherever generators put it, with the path of the site's URL and without."""
    built.configure(RENDERED.replace("https://example.com/", url) + f'permalink = "{permalink}"\n')
    (built.folder / "_site/2026/11/20/a/index.html").unlink()
    page(built, path)
    built.publish()
    assert "Made of ochre" in text_of_entry(built)


def test_a_page_with_another_name_than_ascii_is_found(built):
    """The percent-encoded address of a post leads to the file with the decoded name."""
    built.post("日記", SOURCE)
    page(built, "2026/11/20/日記/index.html", "Made of sumi")
    built.publish()
    assert "Made of sumi" in feed(built)


def test_posts_without_a_page_are_named(built):
    """Posts without a page are counted, three are named, and their Markdown is rendered."""
    for n in range(4):
        built.post(f"p{n}", f"Words of number {n} alone. " * 9)
    built.post("empty", "", external_url="https://other.example/")
    built.post("draft", draft="true")
    for report in (built.publish(dry_run=True), built.publish(), built.publish()):
        (line,) = report.warnings
        assert line == (
            "_site: 4 posts have no page here, such as p0.md, p1.md, p2.md (2026/11/20/p0/index.html is missing): the"
            " Markdown is rendered instead; build the site first, or correct posts.permalink"
        )
    assert "Words of number 3 alone." in feed(built)
    found = [f"{d.where}: {d.what}" for d in run_checks(built.config, NOW, asked()[1])]
    assert report.warnings[0] in found


def test_a_page_that_is_older_than_its_post_is_used_and_reported(built):
    """The text of an old page is shown, and one line says how many posts are newer than their pages."""
    os.utime(built.folder / "_site/2026/11/20/a/index.html", (1_600_000_000, 1_600_000_000))
    report = built.publish()
    assert "Made of ochre" in text_of_entry(built)
    assert report.warnings == [
        "_site: the built site is older than 1 post, such as a.md: build it first; readers get the text of the old page"
    ]


def test_a_wrong_page_is_not_shown(built):
    """If a page does not have the post's words, the Markdown is rendered, and each run says so, with a cache too."""
    page(built, words="Sorry, nothing is here. Choose another page from our menu, please, or write to us.")
    time.sleep(0.05)
    for report in (built.publish(), built.publish(), built.publish(use_cache=False)):
        (line,) = (line for line in report.warnings if "a.md" in line)
        assert line.startswith(
            "_site: the text of 1 post is not found in its page: a.md (2026/11/20/a/index.html: the page"
        )
    assert "the words that the author wrote" in text_of_entry(built)
    assert "Sorry" not in feed(built)
    assert line in [f"{d.where}: {d.what}" for d in run_checks(built.config, NOW, asked()[1])]
    page(built)
    assert not [line for line in built.publish().warnings if "a.md" in line]
    assert "Made of ochre" in text_of_entry(built)


def test_a_missing_folder_stops_everything_that_shows_posts(built):
    """Without the folder of the built site nothing is published: all entries would change, and change back."""
    before = built.publish() and feed(built)
    (built.folder / "_site").rename(built.folder / "elsewhere")
    with pytest.raises(FeedsError, match=r"posts\.rendered: the folder '_site' does not exist; build the site first"):
        built.publish()
    assert feed(built) == before


def test_a_folder_without_any_page_of_a_post_stops_everything_too(built):
    """A folder without a page of any post is not a built site, or all addresses are wrong: nothing is published."""
    built.post("b", SOURCE.replace("author", "writer"))
    before = built.publish() and feed(built)
    (built.folder / "_site/2026/11/20/a/index.html").rename(built.folder / "_site/index.html")
    expected = (
        r"posts\.rendered: the folder '_site' has no page of any post \(2026/11/20/a/index\.html is missing\): build"
        r" the site first, or correct posts\.permalink"
    )
    for _ in range(2):
        with pytest.raises(FeedsError, match=expected):
            built.publish()
    assert feed(built) == before


def test_a_site_without_public_texts_needs_no_page(site):
    """Drafts and links without a text have no page, and a built site that has none is no error."""
    site.configure(RENDERED)
    (site.folder / "_site").mkdir()
    site.post("draft", WORDS, draft="true")
    site.post("link", "", external_url="https://other.example/")
    assert site.publish().warnings == []


def test_a_page_with_half_of_the_text_is_not_shown(built):
    """A page that a build has written in part is reported, though it is newer than its post."""
    lines = [f"This is line {n} of {n * 7} that the author wrote in the bakery." for n in range(20)]
    for name in "bcd":
        own = [f"{line} It was {name}{n} who said so." for n, line in enumerate(lines)]
        built.post(name, "\n\n".join(own), title=f"Half {name}")
        page(built, f"2026/11/20/{name}/index.html", words="</p><p>".join(own[:13]))
    line = next(line for line in built.publish().warnings if line.startswith("_site"))
    assert line.startswith(
        "_site: the text of 3 posts is not found in their pages: b.md (2026/11/20/b/index.html: the page"
    )
    assert "line 19 of 133" in feed(built)


def test_a_built_site_in_the_posts_folder_has_no_posts(site):
    """The pages of a built site below the posts folder are not posts; nor are those of `public/` in it."""
    site.configure(RENDERED.replace("[feeds]\n", '[feeds]\nfolder = "_site/public"\n') + 'folder = "."\n')
    site.post("a", SOURCE)
    page(site)
    for _ in range(2):
        assert site.publish().counts["public"] == 1
    assert "Made of ochre" in site.read("_site/public/feeds/atom.xml")


def test_feeds_in_the_built_site_change_nothing(built):
    """Feeds may be written into the folder of the built site."""
    built.configure(RENDERED.replace("[feeds]\n", '[feeds]\nfolder = "_site"\n'))
    for _ in range(2):
        assert built.publish().counts["public"] == 1
    assert "Made of ochre" in built.read("_site/feeds/atom.xml")


@pytest.mark.parametrize("selector", ["..x", "p::before", "div:nope", "a[", ":has("])
def test_an_error_in_the_selector_is_an_error_of_its_line(built, selector):
    """A selector that is not CSS is an error with its line."""
    built.configure(f'{RENDERED}content_selector = "{selector}"\n')
    with pytest.raises(ConfigError, match=r"config\.toml:11: posts\.content_selector: .* is not a CSS selector"):
        _ = built.config


def test_the_selector_names_the_text(built):
    """With `content_selector` the text is the element that it selects; a page without one is reported."""
    built.configure(f'{RENDERED}content_selector = ".story"\n')
    page(built, text=f'</p><div class="story"><p>{WORDS}</p><p>Told by selector</p></div><p>')
    built.publish()
    assert "Told by selector" in text_of_entry(built)
    page(built)
    assert "posts.content_selector ('.story') selects nothing" in built.publish().warnings[0]


# Caches -----------------------------------------------------------------------------------------------------------


def test_a_changed_page_changes_the_entry_and_nothing_else(built):
    """A page that changes, appears or goes changes the text of its entry; id and dates stay."""
    built.post("b", SOURCE.replace("author", "writer"))
    built.publish()
    ids = re.findall("<id>.*?</id>|<updated>.*?</updated>", feed(built))
    page(built, text="Made of umber")
    assert built.publish().written
    assert "Made of umber" in feed(built)
    file = page(built, "2026/11/20/b/index.html", "Made of sepia", WORDS.replace("author", "writer"))
    built.publish()
    assert "Made of sepia" in feed(built)
    file.unlink()
    built.publish()
    assert "Made of sepia" not in feed(built)
    assert re.findall("<id>.*?</id>|<updated>.*?</updated>", feed(built)) == ids


def test_a_site_that_was_built_again_is_not_written_again(built):
    """If pages have new times and the same bytes, or only another menu, no feed is written."""
    built.publish()
    file = page(built)
    assert built.publish().written == []
    file.write_text(file.read_text("utf-8").replace("Menu", "Menu with more"), "utf-8")
    assert built.publish().written == []


def test_the_fast_path_knows_the_pages(built, feeds):
    """A run after which nothing has changed is answered by the fast path; a page that changes or appears ends that."""
    built.post("b", SOURCE.replace("author", "writer"))
    words = ("publish", "--now", "2026-11-23")
    state = built.folder / ".feeds/cache/last-run"

    def is_answered():
        before = state.stat().st_ino
        feeds(*words)
        return state.stat().st_ino == before

    time.sleep(0.05)
    feeds(*words)
    assert is_answered()
    page(built, text="Made of umber")
    assert not is_answered()
    time.sleep(0.05)
    feeds(*words)
    assert is_answered()
    page(built, "2026/11/20/b/index.html", "Made of sepia", WORDS.replace("author", "writer"))
    assert not is_answered()
    assert "Made of sepia" in feed(built)


EDITS = st.lists(
    st.tuples(st.sampled_from(["page", "remove", "wrong", "post", "publish"]), st.integers(0, 3), st.integers(0, 2)),
    max_size=12,
)


def _result(site, *, use_cache):
    """Return what a run prints and writes, or its error: of a site without any page."""
    try:
        report = site.publish(use_cache=use_cache)
    except FeedsError as e:
        return str(e).replace(str(site.folder), "")
    return [line.replace(str(site.folder), "") for line in report.warnings], report.counts, site.files("public")


@given(EDITS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_and_without_a_cache_texts_of_pages_are_the_same(tmp_path_factory, edits):
    """After any edits of posts and pages, outputs and warnings with and without a cache are the same."""
    results = []
    for use_cache in (True, False):
        site = SampleSite(tmp_path_factory.mktemp("site"))
        for folder in ("posts", "_site"):
            (site.folder / folder).mkdir()
        site.configure(RENDERED + 'permalink = "/{slug}/"\n')
        seen = []
        for what, place, kind in (*edits, ("publish", 0, 0)):
            file, stamp = site.folder / f"_site/p{place}/index.html", 1_700_000_000_000_000_000
            if what == "publish":
                seen.append(_result(site, use_cache=use_cache))
            elif what == "post":
                os.utime(site.post(f"p{place}", WORDS * 4 + f" Of kind {kind}. {{{{ x }}}}"), ns=(stamp, stamp))
            elif what == "remove":
                file.unlink(missing_ok=True)
            else:
                page(
                    site, f"p{place}/index.html", f"Made {kind}", "Nothing here. " * 9 if what == "wrong" else WORDS * 4
                )
                os.utime(file, ns=(stamp, stamp))
        results.append(seen)
    assert results[0] == results[1]


# Everything that shows a text ---------------------------------------------------------------------------------------


def test_letters_have_the_text_of_the_page(built):
    """A letter shows what the page shows, in its text and in its excerpts."""
    built.configure(RENDERED + NEWSLETTER.replace("schedule", 'template = "letter"\nschedule'))
    built.publish()
    (letter,) = built.letters()
    mail = built.read(f".feeds/outbox/{letter}")
    assert "Made of ochre" in mail
    assert "colour" not in mail


def test_the_preview_changes_with_the_pages(built):
    """The preview shows the text of the page, and renders again when the page changes."""
    built.configure(RENDERED + NEWSLETTER)
    preview = Preview(built.folder / "config.toml", {}, lambda: NOW)
    assert "Made of ochre" in preview.rendered_issues()["weekly"].letter(0).html
    state = preview.state()
    assert preview.state() == state
    page(built, text="Made of umber")
    assert preview.state() != state
    assert "Made of umber" in preview.rendered_issues()["weekly"].letter(0).html


def test_reading_times_are_those_of_the_page(built):
    """The reading time counts the words of the page."""
    page(built, text="More words of this kind. " * 500)
    found = list_posts(built.config, NOW, asked()[1], with_texts=True)
    assert found.texts["a.md"].reading_minutes == 11


def test_duplicates_are_compared_by_their_pages(built):
    """Two posts with nearly the same Markdown are duplicates only if their pages are nearly the same, too."""
    long = " ".join(f"Word {chr(97 + n % 26)}{chr(97 + n // 26)} stands in both of them." for n in range(40))
    for name, made in (("b", "one"), ("c", "two")):
        built.post(name, f"{long}\n\n{{{{< include {made} >}}}}\n", title="Same title")
        page(built, f"2026/11/20/{name}/index.html", f"This is {made} alone, nothing else. " * 3, long)
    assert len(list_duplicates(built.config, NOW, asked()[1]).pairs) == 1
    for name, made in (("b", "sun"), ("c", "moon")):
        other = " ".join(f"{made} {chr(97 + n % 26)}{chr(97 + n // 26)} is what {made} has." for n in range(90))
        page(built, f"2026/11/20/{name}/index.html", other, long)
    assert list_duplicates(built.config, NOW, asked()[1]).pairs == []
