"""Letters as they are rendered: their parts, links, languages, directions and colours."""

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from msgspec.structs import replace
from PIL import Image

from feeds.config import load_config
from feeds.core.posts.text import parse_html
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.site import Site
from feeds.model import Author, EditorNote, IssueContent, Selection, Text
from feeds.model import Image as PostImage
from tests.core.factory import entry

SLOT = datetime(2026, 11, 23, 8, tzinfo=UTC)
WORDS = "A post says what it has to say in a few words. It says it once, and the reader may go on. " * 3
#: A table that becomes cards on a phone.
WIDE = f"<table><tr>{'<th>n</th>' * 5}</tr><tr>{'<td>1</td>' * 5}</tr></table>"
PICTURE = PostImage(url="https://example.com/a.jpg", alt="A loaf of bread")


@pytest.fixture
def render(tmp_path):
    """A function that renders the HTML part of a letter with these stories; `PICTURE` has this *size*."""

    def make(*stories, newsletter="", config="", note="", texts=None, number=1, size=None):
        (tmp_path / "posts").mkdir(exist_ok=True)
        (tmp_path / "static").mkdir(exist_ok=True)
        if size:
            Image.new("RGB", size).save(tmp_path / "static" / "a.jpg")
        (tmp_path / "config.toml").write_text(
            '[site]\ntitle = "Site"\nurl = "https://example.com/"\n'
            f'[[newsletters]]\nname = "weekly"\ntitle = "The weekly"\nschedule = "0 8 * * mon"\n{newsletter}\n{config}',
            "utf-8",
        )
        site = Site(load_config(tmp_path / "config.toml", {}))
        renderer = IssueRenderer(
            site=site,
            newsletter=site.settings.newsletters[0],
            number=number,
            slot=SLOT,
            composed_at=SLOT,
            seed=bytes(16),
        )
        written = {one.post.path: Text(html=f"<p>{WORDS}</p>", excerpt=WORDS, reading_minutes=2) for one in stories}
        editor = EditorNote(path="n.md", digest="", html=note) if note else None
        content = IssueContent(selection=Selection(stories=stories, note=editor), texts=written | (texts or {}))
        return renderer.render_letter(content)[1].html

    return make


def stories(count, **values):
    """Return so many entries, one a day, the newest first."""
    return [entry(f"post-{n}.md", days=count - n, **values) for n in range(count)]


def find_picture(html, story):
    """Return the image that links to *story*."""
    return parse_html(html).xpath(f"//a[contains(@href, '{story}')]/img")[0]


def levels(html):
    """Return the levels of the headings of a letter in their order."""
    return [int(level) for level in re.findall(r"<h([1-6])\b", html)]


def links(html):
    """Return the addresses of links by their text."""
    return {" ".join(link.text_content().split()): link.get("href") for link in parse_html(html).iter("a")}


# The digest ---------------------------------------------------------------------------------------------------------


def test_a_digest_of_twelve_takes_less_than_30_kilobytes(render):
    """Twelve stories with three lines each, every second one with a picture, take less than 30 kB of HTML."""
    some = [
        entry(f"p{n}.md", days=-n, topics=["Essays", "Notes"][n % 2 :], image=PICTURE if n % 2 else None)
        for n in range(12)
    ]
    assert len(render(*some).encode()) < 30_000


def test_a_digest_of_twelve_pictures_with_note_and_sponsor_takes_at_most_30_kilobytes(render):
    """A real picture, an author and two categories a story, and all parts that a letter may have."""
    some = [
        entry(
            f"p{n}.md",
            days=-n,
            topics=["Essays", "Notes"][n % 2 :],
            image=PICTURE,
            authors=(Author(name="Ines Calder"),),
        )
        for n in range(12)
    ]
    html = render(
        *some, newsletter='sponsor = "**They** pay. [Look](https://they.example/)."', note=WORDS, size=(900, 600)
    )
    assert len(html.encode()) <= 30_000


def test_a_row_needs_no_style_sheet(render):
    """The picture of a row is in another cell beside the text, with its width in an attribute."""
    html = render(*stories(3, image=PICTURE))
    row = parse_html(html).xpath("//h2[.//a[contains(@href, 'post-2')]]/ancestor::table[1]")[0]
    text, picture = row.xpath("./tr/td | ./tbody/tr/td")
    assert (text.getparent().get("valign"), picture.get("width")) == ("top", "96")
    image = picture.find(".//a/img")
    assert (image.get("alt"), image.get("width"), image.get("height")) == ("A loaf of bread", "96", None)
    assert "font-size:17px" in text.get("style")


def test_the_first_two_stories_are_large_and_the_rest_are_rows_by_category(render):
    """Those without a category are the last, under a heading of their own; no heading is there twice.

    The category of the second story is the heading of the rows of the same category, which come first.
    """
    topics = (["Essays"], ["Notes"], [], ["Essays"], ["Notes"])
    html = render(*(entry(f"p{n}.md", days=-n, topics=names) for n, names in enumerate(topics)))
    found = [h.text_content() for h in parse_html(html).iter("h1", "h2", "h3")]
    assert found == [
        "The weekly",
        "In this issue",
        "p0.md",
        "Notes",
        "p1.md",
        "p4.md",
        "Essays",
        "p3.md",
        "More",
        "p2.md",
    ]


ALONE = {
    "another category": (["Notes"], ["Essays"], ["p1.md", "Essays", "p2.md"]),
    "no category below it": (["Notes"], [], ["p1.md", "More", "p2.md"]),
    "no category": ([], ["Essays"], ["p1.md", "Essays", "p2.md"]),
}


@pytest.mark.parametrize(("second", "third", "headings"), ALONE.values(), ids=ALONE)
def test_the_category_of_a_second_story_alone_is_not_a_heading(render, second, third, headings):
    """It is a line above the headline, as that of the lead."""
    html = render(*(entry(f"p{n}.md", days=-n, topics=names) for n, names in enumerate((["A"], second, third))))
    assert [h.text_content() for h in parse_html(html).iter("h2", "h3")] == ["p0.md", *headings]


@pytest.mark.parametrize(
    ("size", "is_large"),
    [((900, 600), True), ((600, 600), True), ((600, 900), False), ((600, 610), False), (None, True)],
)
def test_a_tall_picture_of_the_second_story_is_a_thumbnail(render, size, is_large):
    """It would fill a phone before its headline."""
    image = find_picture(render(*stories(3, image=PICTURE), size=size), "post-1")
    assert (image.get("width") == "600") is is_large
    assert (image.get("class") == "q o") is not is_large


def test_a_tall_picture_of_the_lead_is_not_higher_than_the_column_is_wide(render):
    """It keeps its proportions: 600 by 900 is shown as 400 by 600."""
    image = find_picture(render(*stories(3, image=PICTURE), size=(600, 900)), "post-0")
    assert image.get("width") == "400"
    assert "width:100%;max-width:400px" in image.get("style")
    assert image.get("height") is None


def test_a_meta_line_ends_neither_with_its_dot_nor_inside_the_reading_time(render):
    """The dot and the word after it, and all of the reading time, are one word."""
    for lang, end in (
        ("en", "· 2 min read"),
        ("ja", "·\u00a02分で読めます"),
        ("ar", "· دقيقتا قراءة"),
    ):
        html = render(*stories(3), newsletter=f'language = "{lang}"')
        metas = [p for p in parse_html(html).iter("p") if p.text_content().endswith(end.replace(" ", "\u00a0"))]
        assert len(metas) == 3
        assert [bool(meta.xpath("./span[@style='white-space:nowrap']")) for meta in metas] == [lang == "ja"] * 3


@pytest.mark.parametrize("template", ["digest", "letter"])
def test_long_words_break_without_a_style_sheet(render, template):
    """Each headline is in a cell that lets a word break that is wider than a phone."""
    html = render(*stories(3), newsletter=f'template = "{template}"')
    headings = parse_html(html).xpath("//h1 | //h2/a | //h3/a")
    assert headings
    assert all(one.xpath("ancestor::td[contains(@style, 'word-break:break-word')]") for one in headings)


@pytest.mark.parametrize(("lang", "padding"), [("en", "0 4px 0 0"), ("ar", "0 0 0 4px")])
def test_the_head_of_a_value_in_a_card_is_in_its_line(render, lang, padding):
    """The space is between both, at the left of the head in a script from right to left."""
    html = render(*stories(1), newsletter=f'language = "{lang}"', note=WIDE)
    assert f".s .h{{display:inline!important;padding:{padding}!important" in html


def test_a_dark_scheme_has_dark_boxes_for_pictures_without_transparent_parts(render):
    """Both for the scheme and for what Outlook.com marks, which has no such scheme."""
    html = render(*stories(3, image=PICTURE))
    assert ".bg .o{background:#211f1c!important;color:#aaa398!important}" in html
    assert "[data-ogsb] .o{background:#211f1c" in html
    assert [image.get("class") for image in parse_html(html).iter("img")] == ["o", "o", "q o"]


def test_stories_that_all_lack_a_category_have_no_heading(render):
    """A heading for the rest needs something that it is the rest of."""
    html = render(*stories(4))
    assert "More" not in [h.text_content() for h in parse_html(html).iter("h2", "h3")]


@pytest.mark.parametrize(("count", "is_there"), [(4, False), (5, True)])
def test_five_stories_have_a_table_of_contents(render, count, is_there):
    """From five stories on, the letter begins with their titles."""
    assert ("In this issue" in render(*stories(count))) is is_there


def test_headlines_are_high_enough_for_a_finger(render):
    """The link of each headline is a block of 44 px: 9 px above and below a line of 26."""
    headings = parse_html(render(*stories(3))).xpath("//h2/a")
    assert headings
    assert all("display:block;padding:9px 0" in link.get("style") for link in headings)


# A whole post -------------------------------------------------------------------------------------------------------


def test_a_whole_post_shows_its_own_summary_and_ends_before_the_others(render):
    """The summary is below the headline; the other stories have a heading after the button."""
    some = stories(3)
    written = {"post-0.md": Text(html=f"<p>{WORDS}</p>", excerpt="Why it is short.", reading_minutes=2)}
    html = render(*some, newsletter='template = "letter"', texts=written)
    order = [
        "post-0.md</a></h2>",
        "Why it is short.</p>",
        WORDS[:20],
        "Read on the web",
        "More in this issue",
        "post-1.md",
    ]
    at = [html.index(words, html.index("post-0.md</a></h2>")) for words in order]
    assert at == sorted(at)


def test_the_beginning_of_a_post_is_not_its_summary(render):
    """An excerpt that was taken from the text is not shown twice."""
    html = render(*stories(1), newsletter='template = "letter"')
    body = html[html.index("</h2>") :]
    assert body.count("A post says what it has to say in a few words. It") == WORDS.count("A post says")


SENTENCE = "The night train to Oslo leaves at half past nine."
OPENINGS = {
    "a number of a footnote": 'The night train<sup class="footnote-ref">1</sup> to Oslo leaves at half past nine.',
    "a number that another generator linked": 'The night train<sup class="footnote-ref"><a href="#fn1">1</a></sup> to '
    "Oslo leaves at half past nine.",
    "a heading": "The night</p><h2>A heading</h2><p>train to Oslo leaves at half past nine.",
    "emphasis and a line break": "The <em>night train</em><br>to Oslo leaves at half past nine.",
    "other quotation marks": "“The night train” to Oslo leaves at half past nine.",
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
def test_what_stands_in_the_beginning_of_a_post_does_not_make_it_a_summary(render, opening):
    """Numbers of footnotes, headings and marks make no difference: the excerpt is not shown above the text."""
    written = {"post-0.md": Text(html=f"<p>{opening}</p><p>{WORDS}</p>", excerpt=SENTENCE, reading_minutes=2)}
    html = render(*stories(1), newsletter='template = "letter"', texts=written)
    assert f">{SENTENCE}</p>" not in html


@pytest.mark.parametrize("summary", ["Go", "The night train to Bergen leaves late."])
def test_a_summary_of_words_that_the_text_has_elsewhere_is_shown(render, summary):
    """A short summary is not the beginning of a text that has its letters inside of a word."""
    written = {"post-0.md": Text(html=f"<p>Gone. {SENTENCE}</p>", excerpt=summary, reading_minutes=2)}
    assert f">{summary}</p>" in render(*stories(1), newsletter='template = "letter"', texts=written)


@pytest.mark.parametrize("newsletter", ["", 'template = "letter"'])
def test_a_post_without_words_has_no_reading_time(render, newsletter):
    """Its date is the last of the facts below its title; other stories have a reading time."""
    written = {
        "post-0.md": Text(html='<p><img src="https://example.com/a.png" alt=""></p>', excerpt="", reading_minutes=0)
    }
    html = render(*stories(2), newsletter=newsletter, texts=written)
    assert "0\u00a0min" not in html
    assert html.count("min\u00a0read") == 1
    assert html.count("·\u00a02\u00a0min") == 1


# Foot and masthead --------------------------------------------------------------------------------------------------


def test_the_foot_leads_to_other_issues_and_to_the_sign_up_page(render):
    """With a web server, who got the letter from a friend is led to the sign-up page of this newsletter."""
    found = links(render(*stories(1), config='[web]\nurl = "https://letters.example/"'))
    assert found["Subscribe"] == "https://letters.example/subscribe?newsletter=weekly"
    assert found["All issues"] == "https://example.com/newsletters/weekly/"
    assert found["Feed"] == "https://example.com/newsletters/weekly/atom.xml"
    assert "Previous issue" not in found


@pytest.mark.parametrize("config", ["", '[web]\nurl = "https://letters.example/"\n[signup]\nopen = false'])
def test_without_a_sign_up_page_the_archive_is_where_somebody_subscribes(render, config):
    """Without a web server, or with sign-up closed, it is the archive that has the feed."""
    assert links(render(*stories(1), config=config))["Subscribe"] == "https://example.com/newsletters/weekly/"


def test_a_newsletter_without_archive_has_no_links_to_issues(render):
    """The masthead leads to the site, and the foot has no dead links."""
    found = links(render(*stories(1), newsletter='archive = "off"'))
    assert found["The weekly"] == "https://example.com/"
    assert found.keys().isdisjoint({"Subscribe", "All issues", "Feed", "View in browser"})


def test_the_previous_issue_is_linked_once_it_has_a_page(render, tmp_path):
    """A page that is not written yet is not linked."""
    (tmp_path / "public/newsletters/weekly/1").mkdir(parents=True)
    (tmp_path / "public/newsletters/weekly/1/index.html").write_text("x", "utf-8")
    assert links(render(*stories(1), number=2))["Previous issue"] == "https://example.com/newsletters/weekly/1/"


def test_the_masthead_has_the_title_and_the_link_to_the_page(render):
    """The title leads to all issues; the link at its end shows the letter in a browser."""
    found = links(render(*stories(1)))
    assert found["The weekly"] == "https://example.com/newsletters/weekly/"
    assert found["View in browser"] == "https://example.com/newsletters/weekly/1/"


def test_the_preview_text_names_the_next_stories(render):
    """Beside the subject, mail programs show the beginning of the lead and what else there is."""
    assert "Also: post-1.md and post-2.md</div>" in render(*stories(3))


# Headings, languages, directions ------------------------------------------------------------------------------------

MORE = "<h2>Big</h2><p>x</p><h4>Small</h4><h3>Middle</h3>"


@pytest.mark.parametrize(
    "newsletter", ["", 'template = "letter"', 'group_by = "none"', 'template = "letter"\ngroup_by = "none"']
)
@pytest.mark.parametrize("html", [MORE, "<h1>One</h1><h3>Three</h3>", "<h5>Five</h5><p>x</p><h2>Two</h2><h6>Six</h6>"])
def test_headings_have_no_gaps(render, newsletter, html):
    """Whatever levels a post and a note use, no heading is more than one level below the one before it."""
    some = [entry(f"p{n}.md", days=-n, topics=["Essays"]) for n in range(6)]
    written = {"p0.md": Text(html=html, excerpt="x", reading_minutes=1)}
    found = levels(render(*some, newsletter=newsletter, note=html, texts=written))
    assert found[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("letter", "story", "side"), [("en", "ar", "right"), ("en", "he", "right"), ("ar", "de", "left")]
)
def test_a_story_in_another_direction_is_set_in_its_own(render, letter, story, side):
    """Its table has language, direction and side of the story; date and reading time are marked as the letter's."""
    html = render(*stories(2), entry("other.md", days=-1, lang=story), newsletter=f'language = "{letter}"')
    table = parse_html(html).xpath("//a[contains(@href, 'other')]/ancestor::table[1]")[0]
    assert table.get("lang") == story
    assert table.get("dir") == ("rtl" if side == "right" else "ltr")
    assert table.find(".//td").get("align") == side
    marked = {span.get("lang") for span in table.iter("span") if span.get("lang")}
    assert marked == {letter}


def test_an_english_text_in_a_letter_of_another_language_is_marked(render, tmp_path):
    """A language without texts has English ones, which a screen reader then reads in English."""
    html = render(*stories(5), newsletter='language = "fi"')
    assert html.count('<span lang="en" dir="ltr">In this issue</span>') == 1
    assert '<span lang="en" dir="ltr">No. 1</span>' in html
    (tmp_path / "templates/texts").mkdir(parents=True)
    (tmp_path / "templates/texts/fi.toml").write_text('in_this_issue = "Tässä numerossa"\n', "utf-8")
    assert ">Tässä numerossa<" in render(*stories(5), newsletter='language = "fi"')


@pytest.mark.parametrize("lang", ["en", "en-GB", "de", "ja"])
def test_a_language_with_texts_has_no_marks(render, lang):
    """Only English texts that stand in for others are marked."""
    some = stories(6, lang=lang)
    assert '<span lang="en"' not in render(
        *some, newsletter=f'language = "{lang}"', config='[mail]\naddress = "1 Lane"'
    )


# Templates of a site ------------------------------------------------------------------------------------------------


def test_templates_that_a_site_wrote_for_an_older_version_go_on_working(render, tmp_path):
    """`letter.groups` has all stories but the lead, and the macros keep their names."""
    (tmp_path / "templates/letter").mkdir(parents=True)
    (tmp_path / "templates/letter/stories.mjml").write_text(
        "{% from 'letter/macros.mjml' import paper, tint, ink, muted, accent, accent_dark, rule, start, end, tight,"
        " foot, own, dot, heading, broken, headline, excerpt, meta with context %}\n"
        "{% for group in letter.groups %}{% for story in group.stories %}<mj-section><mj-column><mj-text>"
        "{{ heading(group.heading, '0') }}<div{{ own(story) }}>{{ headline(story, 3, 21) }}{{ excerpt(story) }}"
        "{{ meta(story) }}</div></mj-text></mj-column></mj-section>{% endfor %}{% endfor %}",
        "utf-8",
    )
    html = render(*stories(4))
    assert [h.text_content() for h in parse_html(html).iter("h3")] == ["post-1.md", "post-2.md", "post-3.md"]


# Colours ------------------------------------------------------------------------------------------------------------


def test_a_theme_colours_paper_ink_and_categories(render):
    """The colours are inline; in a dark scheme that of the category is lighter."""
    theme = '[newsletters.theme]\npaper = "#fafafa"\nink = "#222222"\ncategories = { essays = "#803020" }'
    html = render(entry("a.md", topics=["Essays"]), newsletter=theme)
    assert 'color:#803020">Essays</p>' in html
    assert "background-color:#fafafa" in html
    assert "color:#222222" in html
    assert re.search(r"\.bg \.x803020\{color:#[0-9a-f]{6}!important", html)
    assert "#fffdf8" not in html


def test_a_logo_replaces_the_title_and_has_a_form_for_the_dark(render):
    """Without style sheets only the logo for the light scheme is shown."""
    theme = '[newsletters.theme]\nlogo = "https://example.com/l.png"\nlogo_dark = "https://example.com/d.png"'
    light, dark = parse_html(render(entry(), newsletter=theme)).xpath("//h1//img")
    assert (light.get("src"), light.get("alt")) == ("https://example.com/l.png", "The weekly")
    assert "display:none" in dark.get("style")


@pytest.mark.parametrize(("name", "mark"), [("quiet", "#fffdf8"), ("serif", "Georgia"), ("bold", "#a3123a")])
def test_a_ready_theme_is_named(render, name, mark):
    """The name of a theme sets its colours and fonts, and each of them can be replaced."""
    assert mark in render(entry(), newsletter=f'[newsletters.theme]\nname = "{name}"')
    html = render(entry(), newsletter=f'[newsletters.theme]\nname = "{name}"\naccent = "#123456"')
    assert "background:#123456" in html


@pytest.mark.parametrize(
    ("author", "isolated"), [("Jörg Åkesson (Hafen)", False), ("井上 花", False), ("נועה 3", True), ("ليلى", True)]
)
def test_a_name_is_isolated_if_it_can_change_the_direction_of_its_line(render, author, isolated):
    """A name from right to left keeps to itself between date and reading time; one from left to right needs nothing."""
    html = render(*stories(3, authors=(Author(name=author),)))
    assert (f'<span dir="auto">{author}</span>' in html) is isolated
    assert author in html


def test_a_picture_that_says_nothing_is_not_read_out(render):
    """The link of a picture without alternative text is hidden from screen readers and keyboards, and of no other."""
    described = parse_html(render(*stories(3, image=PICTURE)))
    assert not described.xpath("//a[img][@aria-hidden or @tabindex]")
    silent = parse_html(render(*stories(3, image=PostImage(url="https://example.com/a.jpg"))))
    links = silent.xpath("//a[img]")
    assert len(links) == 3
    assert {(link.get("aria-hidden"), link.get("tabindex")) for link in links} == {("true", "-1")}


def test_only_a_letter_with_a_wide_table_has_the_style_sheet_of_cards(render):
    """The rules are in a letter whose note has a table of five columns, and in no other."""
    assert ".s tr{" in render(*stories(1), note=WIDE)
    assert ".s tr{" not in render(*stories(1), note="<table><tr><th>n</th></tr><tr><td>1</td></tr></table>")


@pytest.mark.parametrize(("lang", "is_whole"), [("ja", True), ("ko", True), ("en", False), ("zh-Hans", False)])
def test_a_list_of_titles_breaks_between_phrases_or_words(render, lang, is_whole):
    """The titles above a letter keep the words of Japanese and Korean whole, without a style sheet."""
    some = [
        replace(one, post=replace(one.post, title="時刻表を書き写すまで消しゴムを買わない", lang=lang))
        for one in stories(5)
    ]
    html = render(*some, newsletter=f'language = "{lang}"')
    link = parse_html(html).xpath("//div[a[@class='c']]/a")[0]
    assert bool(link.xpath("ancestor::div[@style='word-break:keep-all;overflow-wrap:anywhere']")) is is_whole
    assert bool(link.findall("wbr")) is (lang == "ja")
    assert link.text_content() == some[0].post.title
