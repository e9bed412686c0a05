"""The HTML of posts in letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.core.newsletters.mailhtml import MailStyle, render_mail_html
from feeds.core.newsletters.phrases import split_phrases
from feeds.core.posts.markdown import render_markdown
from feeds.core.posts.text import parse_html
from feeds.settings import Theme

BASE = "https://example.com/a/"


def rendered(markdown, **style):
    return render_mail_html(render_markdown(markdown), BASE, MailStyle(**style))


SHOWN = {
    "headings are below the letter's own": ("# A\n\n## B", '<h3 style="margin:32px 0 8px'),
    "links have their colour": ("[a](/b)", '<a href="https://example.com/b" style="color:#0a5a78'),
    "code wraps": ("```\nx\n```", "white-space:pre-wrap"),
    "a wide table becomes rows on a phone": ("|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|", '<table style="width:100%'),
    "an image fits": ("![x](/a.png)", "max-width:100%;height:auto"),
    "an image without alt gets an empty one": ('<img src="/a.png">', 'alt=""'),
    "a task is a character": ("- [x] done", "<span>☑</span> done"),
    "the box of a task is in its paragraph": (
        "- [x] **a**\n\n- b",
        '<p style="margin:0 0 16px"><span>☑</span> <strong>',
    ),
}


@pytest.mark.parametrize(("markdown", "html"), SHOWN.values(), ids=SHOWN)
def test_everything_is_styled_inline(markdown, html):
    """Each element is styled in its attribute, since mail programs drop style sheets."""
    assert html in rendered(markdown)


def test_what_mail_cannot_show_is_not_there():
    """Scripts, forms, frames, ids and styles of the post and `data:` images are removed."""
    raw = (
        "<script>x</script><form><input></form><style>p{}</style>"
        '<p id="a" class="b" style="color:red" onclick="x">y</p>'
        '<iframe src="https://video.example/1" title="Film"></iframe><img src="data:image/png;base64,AAAA" alt="dot">'
    )
    found = render_mail_html(raw, BASE, MailStyle())
    for gone in ("script", "form", "<style", "onclick", 'id="', "color:red", "iframe", "data:"):
        assert gone not in found
    assert '<a href="https://video.example/1"' in found
    assert "dot" in found


def test_an_image_is_no_wider_than_the_column():
    """A wide image gets the width of the column and no height; Outlook reads the attribute, others the style."""
    assert 'width="600"' in render_mail_html('<img src="/a.png" width="2000" height="9">', BASE, MailStyle())
    assert "height=" not in render_mail_html('<img src="/a.png" width="2000" height="9">', BASE, MailStyle())


@pytest.mark.parametrize("width", ["9" * 5000, "99999", "600"])
def test_no_width_is_too_long_a_number(width):
    """A width of any number of digits is read; Python refuses numbers of more than 4300."""
    assert 'width="600"' in render_mail_html(f'<img src="/a.png" width="{width}">', BASE, MailStyle())


def test_quotations_are_marked_where_lines_begin():
    """The border of a quotation is on the right in Arabic."""
    assert "border-right:3px" in rendered("> a", start="right")


def test_japanese_headlines_break_between_phrases():
    """A Japanese headline is split into phrases; other languages, short and very long titles are not."""
    title = "AIと 長い見出しがどこまでも続いていく話"
    found = split_phrases(title, "ja-JP")
    assert "".join(found) == title
    assert "見出しが" in found
    assert split_phrases(title, "en") == split_phrases("話", "ja") == split_phrases(title * 20, "ja") == ()


def test_code_runs_from_the_left_in_any_language():
    """Code keeps the direction from left to right in a letter in Arabic."""
    found = rendered("`a` and\n\n```\nb\n```", start="right")
    assert found.count('dir="ltr"') == 2


TAGS = st.sampled_from(
    ["<b>", "</b>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<div>", "</div>", "<p>", "</p>", "x"]
)


@given(st.lists(TAGS, max_size=40).map("".join))
def test_no_post_breaks_out_of_its_element(html):
    """A post with any unclosed, repeated or nested tags does not swallow what follows it in the letter."""
    letter = parse_html(f"<div>{render_mail_html(html, BASE, MailStyle())}</div><p>after</p>")
    assert [child.tag for child in letter] == ["div", "p"]
    assert letter[1].text == "after"


def test_a_long_word_and_a_data_image_are_contained():
    """A `data:` image is replaced by its alt text; a long word stays (`.bg` in letter/head.mjml breaks it)."""
    found = render_mail_html(
        f"<p>{'x' * 300}</p><img src='data:image/png;base64,{'A' * 3_000_000}' alt='dot'>", BASE, MailStyle()
    )
    assert len(found) < 1000
    assert "dot" in found


# Players ----------------------------------------------------------------------------------------------------------


def shown(markdown):
    """Return links as (address, text), and images as (address, alt, width, link)."""
    letter = parse_html(render_mail_html(render_markdown(markdown), BASE, MailStyle(), watch="Watch: {title}"))
    links = [(link.get("href"), link.text_content()) for link in letter.iter("a")]
    images = [
        (e.get("src"), e.get("alt"), e.get("width"), e.xpath("string(ancestor::a/@href)")) for e in letter.iter("img")
    ]
    return links, images


STILLS = {
    "relative": ('src="/t.mp4" poster="t.png" title="T"', BASE + "t.png", "T", "600"),
    "on another host": ('src="/t.mp4" poster="//cdn.example/t.png" title="T"', "https://cdn.example/t.png", "T", "600"),
    "with spaces": ('src="/t.mp4" poster=" my still.png " title="T"', BASE + "my%20still.png", "T", "600"),
    "narrow": ('src="/t.mp4" poster="t.png" title="T" width="320"', BASE + "t.png", "T", "320"),
    "as wide as the page": ('src="/t.mp4" poster="t.png" title="T" width="100%"', BASE + "t.png", "T", "600"),
    "wider than the column": ('src="/t.mp4" poster="t.png" title="T" width="1920"', BASE + "t.png", "T", "600"),
    "without a title": ('src="/t.mp4" poster="t.png"', BASE + "t.png", "t.mp4", "600"),
    "with a blank title": ('src="/t.mp4" poster="t.png" title=" "', BASE + "t.png", "t.mp4", "600"),
    "with braces and tags": ('src="/t.mp4" poster="t.png" title="{x} <b>"', BASE + "t.png", "{x} <b>", "600"),
    "that would play": ('src="/t.mp4" poster="t.png" title="T" autoplay onplay="x()"', BASE + "t.png", "T", "600"),
}


@pytest.mark.parametrize(("attributes", "still", "title", "width"), STILLS.values(), ids=STILLS)
def test_a_film_is_its_own_still_and_a_link(attributes, still, title, width):
    """A film with a still is one link with the image above the text, so that it is legible without images."""
    film = "https://example.com/t.mp4"
    assert shown(f"<video {attributes}></video>") == ([(film, f"Watch: {title}")], [(still, title, width, film)])


@pytest.mark.parametrize("poster", ["", " ", "data:image/png;base64,AAAA", "javascript:x()", "//[bad", "ftp://a/b.png"])
def test_a_still_that_no_mail_program_would_load_is_ignored(poster):
    """A film whose still is not an http(s) URL is a link only."""
    found = shown(f'<video src="/t.mp4" poster="{poster}" title="T"></video>')
    assert found == ([("https://example.com/t.mp4", "T")], [])


ALONE = {
    "YouTube": ("https://www.youtube.com/embed/abcdefghijk", "youtube.com"),
    "YouTube without cookies": ("https://www.youtube-nocookie.com/embed/abcdefghijk?start=7", "youtube-nocookie.com"),
    "Vimeo": ("https://player.vimeo.com/video/65678345", "vimeo.com"),
    "PeerTube": ("https://tube.example/videos/embed/7b3d0bb5", "tube.example"),
    "Nico Nico": ("https://embed.nicovideo.jp/watch/sm9", "nicovideo.jp"),
    "any other": ("https://widgets.example/1", "widgets.example"),
}


@pytest.mark.parametrize(("address", "site"), ALONE.values(), ids=ALONE)
def test_no_still_is_asked_of_a_host_that_the_post_does_not_name(address, site):
    """An embedded player without a still is a link only: the host would see who opens the letter, and when."""
    assert shown(f'<iframe src="{address}" title="The talk"></iframe>') == ([(address, "The talk")], [])
    assert shown(f'<iframe src="{address}"></iframe>') == ([(address, site)], [])
    assert shown(f'<iframe src="{address}" title=" "></iframe>') == ([(address, site)], [])


def test_a_still_that_the_post_names_itself_is_shown():
    """A still that the post names is shown, on the player or as a linked image."""
    player = '<iframe src="https://www.youtube.com/embed/abcdefghijk" poster="/t.jpg" title="T"></iframe>'
    assert shown(player)[1] == [("https://example.com/t.jpg", "T", "600", ALONE["YouTube"][0])]
    linked = "[![T](https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg)](https://youtu.be/abcdefghijk)"
    assert shown(linked)[1][0][0] == "https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg"


SOURCES = {
    "a source": ('<video poster="/t.png">\n<source src="/t.mp4">\nNo video here.</video>', "https://example.com/t.mp4"),
    "the first that can be fetched": (
        '<video poster="/t.png" src="blob:x"><source src="data:video/mp4,x"><source src="/t.webm"></video>',
        "https://example.com/t.webm",
    ),
    "sound": ('<audio src="/t.mp3"></audio>', "https://example.com/t.mp3"),
    "an object": ('<object data="/t.swf"><embed src="/u.swf"></object>', "https://example.com/t.swf"),
    "a space in it": ('<video src="my talk.mp4"></video>', BASE + "my%20talk.mp4"),
}


@pytest.mark.parametrize(("html", "address"), SOURCES.values(), ids=SOURCES)
def test_what_plays_is_found_wherever_it_is_named(html, address):
    """A player is one link, whichever element names its source; its fallback text is removed."""
    assert [link for link, _ in shown(html)[0]] == [address]
    assert "No video" not in rendered(html)


@pytest.mark.parametrize(
    "html",
    [
        '<video poster="/t.png" title="T"></video>',
        '<video src=" " poster="/t.png" title="T"></video>',
        '<iframe src="javascript:x()" title="T"></iframe>',
        '<iframe src="java&#9;script:x()" title="T" poster="/t.png"></iframe>',
        '<iframe src="data:text/html,<script>x()</script>" title="T"></iframe>',
        '<iframe srcdoc="<script>x()</script>" title="T"></iframe>',
        '<iframe src="//[bad" title="T"></iframe>',
    ],
)
def test_a_player_without_a_source_is_removed(html):
    """A player without an http(s) address is removed, and the text around it stays."""
    assert shown(html) == ([], [])
    assert "before" in rendered(f"before {html} after")
    assert "after" in rendered(f"before {html} after")


FILM = '<video src="/t.mp4" poster="/t.png" title="T"></video>'


@pytest.mark.parametrize("around", ["{}", "<div>{}</div>", "<section>\n{}\n</section>"])
def test_a_player_between_paragraphs_keeps_their_distance(around):
    """A player between paragraphs becomes a paragraph; one in a sentence stays in it."""
    letter = parse_html(render_mail_html("<p>before</p>" + around.format(FILM) + "<p>after</p>", BASE, MailStyle()))
    assert [p.get("style") for p in letter.iter("p")] == ["margin:0 0 16px"] * 3
    assert rendered("See <iframe src='/a' title='T'></iframe> now.").count("<p") == 1


def test_a_figure_keeps_its_caption_below():
    """In a figure, the caption follows the linked still."""
    letter = parse_html(rendered(f"<figure>{FILM}<figcaption>Said in May.</figcaption></figure>"))
    assert [e.tag for e in letter.find("div").iter()] == ["div", "a", "img", "br", "div"]


FIGURES = {
    "a picture": '<figure><img src="/a.png" alt="A"><figcaption>Caption</figcaption></figure>',
    "a table": "<figure><table><tr><td>1</td></tr></table><figcaption>Caption</figcaption></figure>",
    "a quotation": "<figure><blockquote>Q</blockquote><figcaption>Caption</figcaption></figure>",
    "a picture with sources": (
        '<figure><picture><source srcset="/a.webp"><img src="/a.png" alt="A"></picture>'
        "<figcaption>Caption</figcaption></figure>"
    ),
    "a box to open": "<details><summary>More</summary><p>Caption</p></details>",
    "parts of a page": "<article><header>A</header><section>Caption</section><footer>F</footer></article>",
    "words": '<p><mark>Caption</mark> <time datetime="2026-01-02">today</time></p>',
}


@pytest.mark.parametrize("html", FIGURES.values(), ids=FIGURES)
def test_elements_that_mail_programs_do_not_know_are_replaced(html):
    """Figures, captions and parts of a page become boxes: Outlook does not know them, Yahoo removes their tags."""
    letter = parse_html(rendered(html))
    known = {"div", "span", "p", "a", "img", "br", "table", "tbody", "tr", "td", "blockquote"}
    assert {e.tag for e in letter.iterdescendants()} <= known
    [caption] = [e for e in letter.iter() if (e.text or "") == "Caption"]
    assert (caption.get("class"), "margin:8px 0 0" in caption.get("style", "")) == (
        ("u", True) if "figcaption" in html else (caption.get("class"), False)
    )


@pytest.mark.parametrize("markdown", ["- a", "1. a", "- [ ] a", "- a\n  1. b"])
@pytest.mark.parametrize(("start", "margin"), [("left", "margin:0 0 16px 32px"), ("right", "margin:0 32px 16px 0")])
def test_lists_are_indented_by_margins(markdown, start, margin):
    """A list has a margin where lines start and no padding, which Outlook on Windows ignores outside of tables."""
    letter = parse_html(rendered(markdown, start=start))
    assert {e.get("style") for e in letter.iter("ul", "ol")} == {f"{margin};padding:0"}


def test_a_caption_is_legible_in_the_dark():
    """Captions have the class `u`, whose dark colour is in letter/head.mjml; images have a light ground there."""
    letter = parse_html(rendered(f"<figure>{FILM}<figcaption>Said in May.</figcaption></figure>"))
    assert [e.get("class") for e in letter.iter("div")] == [None, "u"]
    assert [e.get("class") for e in letter.iter("img")] == [None]


def test_a_player_inside_a_link_keeps_its_own():
    """A player inside a link ends that link, since links do not nest; the text around it stays."""
    links, images = shown(f'<a href="/page">before {FILM} after</a>')
    assert links == [("https://example.com/page", "before "), ("https://example.com/t.mp4", "Watch: T")]
    assert len(images) == 1
    assert "after" in rendered(f'<a href="/page">before {FILM} after</a>')


def test_twenty_films_are_twenty_stills():
    """Many films give as many links and stills, in order."""
    links, images = shown("\n\n".join(FILM.replace("/t.", f"/{n}.") for n in range(20)))
    assert [link for link, _ in links] == [f"https://example.com/{n}.mp4" for n in range(20)]
    assert [still for still, *_ in images] == [f"https://example.com/{n}.png" for n in range(20)]


PIECES = st.sampled_from(
    [
        *(
            "<video ",
            "<iframe ",
            "<object ",
            "<source ",
            "</video>",
            "</iframe>",
            '<a href="/x">',
            "</a>",
            "<p>",
            "</p>",
        ),
        *('src="', 'poster="', 'title="', 'width="', '" ', ">", "javascript:x()", "data:x", "&#1;", "//[", "/a.mp4"),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_player_runs_or_loads_other_than_web_addresses(html):
    """Any player markup leaves no active element; images and links have only http(s) addresses."""
    letter = parse_html(render_mail_html(html, BASE, MailStyle()))
    assert not {"iframe", "video", "audio", "object", "embed", "source", "script"} & {e.tag for e in letter.iter()}
    assert all(e.get("src").startswith(("http://", "https://")) for e in letter.iter("img"))
    assert all((e.get("href") or "https://").startswith(("http://", "https://")) for e in letter.iter("a"))


@pytest.mark.parametrize(
    ("lang", "has_italics"),
    [("en", True), ("ru", True), ("el", True), ("tlh", True)]
    + [(lang, False) for lang in ("ja", "zh-Hant", "ko", "ar", "fa", "he", "hi")],
)
def test_emphasis_is_slanted_only_in_scripts_with_italics(lang, has_italics):
    """In others it is bold, and titles of works are upright."""
    html = render_mail_html("<p><em>a</em> <i>b</i> <cite>c</cite></p>", BASE, MailStyle.of_theme(Theme(), lang))
    assert ("font-style" not in html) is has_italics
    assert html.count("font-style:normal;font-weight:700") == (0 if has_italics else 2)


def test_lines_of_japanese_are_joined_without_a_space():
    """Browsers would show a line break of the source as a space."""
    assert "欠航。</em>これより" in render_mail_html("<p><em>欠航。</em>\nこれより</p>", BASE, MailStyle())
