"""Template tags of site generators in posts."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.core.posts.markdown import sanitize_html
from feeds.errors import PostError
from feeds.settings import PostSettings
from tests.core.factory import SETTINGS, parsed, rendered


def settings_for(generator, **values):
    return replace(SETTINGS, posts=PostSettings(generator=generator, **values))


def shown(body, generator="auto", front="title: A", path="2026-01-02-a.md", **values):
    """The HTML that a feed shows of a body, without line breaks."""
    html = rendered(front, body, path, settings=settings_for(generator, **values)).html
    return sanitize_html(html, "https://example.com/a/").replace("\n", "")


def kinds(body, generator="auto", **values):
    return [tag.kind for tag in parsed("title: A", body, settings=settings_for(generator, **values)).unknown_tags]


RENDERED = {
    "a figure": (
        "hugo",
        '{{< figure src="/a.png" alt="Tide" title="Low" caption="At *noon*" >}}\nBelow **it**.',
        (
            '<figure><img src="https://example.com/a.png" alt="Tide"><figcaption><strong>Low</strong> At '
            "<em>noon</em></figcaption></figure><p>Below <strong>it</strong>.</p>"
        ),
    ),
    "a film": (
        "hugo",
        'See {{< youtube id="abc_1" title="Tides" >}}.',
        '<p>See <a href="https://www.youtube.com/embed/abc_1">Tides</a>.</p>',
    ),
    "a film of another service": (
        "hugo",
        "{{< vimeo 12 >}}",
        '<a href="https://player.vimeo.com/video/12">vimeo.com</a>',
    ),
    "code": (
        "hugo",
        "- 1\n\n    {{< highlight go >}}\n    if a < b {\n\n      c()\n    }\n    {{< /highlight >}}\n\n- 2",
        '<ul><li><p>1</p>  <pre><code class="language-go">if a &lt; b {  c()}</code></pre></li><li><p>2</p></li></ul>',
    ),
    "a gist": (
        "hugo",
        "{{< gist ada 12ab >}}",
        '<a href="https://gist.github.com/ada/12ab">gist.github.com/ada/12ab</a>',
    ),
    "a status": (
        "hugo",
        '{{< x user="ada" id="12" >}}',
        '<p><a href="https://x.com/ada/status/12">@ada on X</a></p>',
    ),
    "details": (
        "hugo",
        '{{< details summary="More" >}}\nInside **it**.\n{{< /details >}}',
        "<details><summary>More</summary><p>Inside <strong>it</strong>.</p></details>",
    ),
    "a parameter": ("hugo", "It is {{% param subtitle %}}.", "<p>It is Bee.</p>"),
    "an escaped tag": ("hugo", "Write {{</* figure */>}}.", "<p>Write {{&lt; figure &gt;}}.</p>"),
    "a comment": ("hugo", "One{{% comment %}} two {{% /comment %}} three.", "<p>One three.</p>"),
    "an unknown pair": (
        "hugo",
        "{{% aside %}}\nInside {{< b >}}**it**{{< /b >}}.\n{{% /aside %}}",
        "<p>Inside <strong>it</strong>.</p>",
    ),
    "an unknown pair with a title": (
        "hugo",
        '{{< card title="Tides" >}}Come and go.{{< /card >}}',
        "<p><strong>Tides</strong> Come and go.</p>",
    ),
    "a picture of an unknown tag": (
        "hugo",
        '{{< photo src="/a.jpg" alt="Tide" >}}',
        '<img src="https://example.com/a.jpg" alt="Tide">',
    ),
    "a button of an unknown tag": (
        "hugo",
        '{{< button href="https://example.org/" text="Go" >}}',
        '<p><a href="https://example.org/">Go</a></p>',
    ),
    "Zola's film": (
        "zola",
        'See {{ youtube(id="abc") }}.',
        '<p>See <a href="https://www.youtube.com/embed/abc">youtube.com</a>.</p>',
    ),
    "Zola's quotation": (
        "zola",
        '{% quote(author="Ada") %}\nTides *turn*.\n{% end %}',
        "<blockquote><p>Tides <em>turn</em>.</p><p>— Ada</p></blockquote>",
    ),
    "Jekyll's addresses": (
        "jekyll",
        'See [it][1], ![b]({{ "/b.png" | relative_url }}).\n\n[1]: {{ site.url }}{{ site.baseurl }}/x',
        '<p>See <a href="https://example.com/x">it</a>, <img src="https://example.com/b.png" alt="b">.</p>',
    ),
    "Liquid's logic": (
        "jekyll",
        '{% assign n = 3 %}{% if page.title == "A" %}{% for i in (1..n) %}{{ i }} {% endfor %}{% else %}no{% endif %}',
        "<p>1 2 3</p>",
    ),
    "Jekyll's code": (
        "jekyll",
        "{% highlight ruby linenos %}\na = { :b => 1 }\n{{ c }}\n{% endhighlight %}",
        '<pre><code class="language-ruby">a = { :b =&gt; 1 }{{ c }}</code></pre>',
    ),
    "raw text": ("jekyll", "Write {% raw %}{{ page.title }}{% endraw %}.", "<p>Write {{ page.title }}.</p>"),
    "an include with values": (
        "jekyll",
        '{% include figure.html src="/a.png" alt="Tide" caption="Low" %}',
        '<figure><img src="https://example.com/a.png" alt="Tide"><figcaption>Low</figcaption></figure>',
    ),
    "Eleventy's addresses": (
        "eleventy",
        "[a]({{ '/x/' | url }})",
        '<p><a href="https://example.com/x/">a</a></p>',
    ),
    "Hexo's code": (
        "hexo",
        "{% codeblock tide.js lang:js %}\nlet a;\n{% endcodeblock %}",
        '<p><strong>tide.js</strong></p><pre><code class="language-js">let a;</code></pre>',
    ),
    "Hexo's picture": (
        "hexo",
        '{% img left /a.png 300 200 "Low" "Tide" %}',
        '<img src="https://example.com/a.png" alt="Tide">',
    ),
    "Hexo's quotation": (
        "hexo",
        "{% blockquote Ada, Tides https://example.org/ The book %}\nThey turn.\n{% endblockquote %}",
        '<blockquote><p>They turn.</p><p>— Ada, Tides, <a href="https://example.org/">The book</a></p></blockquote>',
    ),
}


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "auto"])
@pytest.mark.parametrize("case", RENDERED.values(), ids=RENDERED)
def test_a_tag_of_a_generator_is_rendered(case, is_known):
    """A tag that the documentation of a generator has, or whose values say what it shows, is rendered."""
    generator, body, html = case
    front = "title: A\nsubtitle: Bee"
    assert shown(body, generator if is_known else "auto", front) == html


@pytest.mark.parametrize(("generator", "text"), [("eleventy", "A"), ("auto", "{{ title }}")])
def test_a_value_alone_is_a_template_only_in_a_site_whose_generator_is_known(generator, text):
    """Posts about templates have `{{ title }}` in their words."""
    assert shown("{{ title }}", generator, "title: A") == f"<p>{text}</p>"


LEFT = {
    "a code span": "`{{< figure >}}` and ``{% include %}``",
    "a fence": "```\n{{< figure >}}\n{% include a %}\n```",
    "a fence in a list": "- a\n\n  ~~~md\n  {{< figure >}}\n  ~~~",
    "indented code": "Text.\n\n    {{< figure >}}\n\n    {% include a %}",
    "code in HTML": "<pre>\n{{< figure >}}\n\n{{ site.url }}</pre>",
    "a comment": "<!-- {{< figure >}} -->",
}


@pytest.mark.parametrize("body", LEFT.values(), ids=LEFT)
@pytest.mark.parametrize("generator", ["auto", "hugo", "jekyll", "none"])
def test_tags_in_code_are_left_alone(body, generator):
    """In code and comments a tag is text: nothing is reported, and it is shown as it is."""
    assert kinds(body, generator) == []
    assert rendered("title: A", body, settings=settings_for(generator)).html == (
        rendered("title: A", body, settings=settings_for("none")).html
    )


@pytest.mark.parametrize(
    ("generator", "code", "text"),
    [
        ("hugo", "{{</* figure */>}} {{%/* a b */%}}", "{{< figure >}} {{% a b %}}"),
        ("jekyll", "{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("jekyll", "{% raw %} alone", "{% raw %} alone"),
    ],
)
def test_code_has_no_marks_that_protect_tags(generator, code, text):
    """In code, the marks by which an author keeps the generator from rendering a tag are not shown, as on the site."""
    for known in (generator, "auto"):
        html = rendered("title: A", f"`{code}`\n\n```\n{code}\n```", settings=settings_for(known)).html
        assert unescape(html) == f"<p><code>{text}</code></p>\n<pre><code>{text}\n</code></pre>\n"


@pytest.mark.parametrize("words", ["{{ token }}", "${{ secrets.KEY }}", "{{ f(x) }}", "a{{1}}"])
def test_words_in_braces_are_text_if_the_generator_is_not_known(words):
    """Without a known generator, braces that are not surely a tag are text, as without tags."""
    for generator in ("auto", "hugo", "astro", "none"):
        assert (shown(words, generator), kinds(words, generator)) == (f"<p>{words}</p>", [])


UNKNOWN = {
    "hugo": ('One {{< video1 "x" >}} two {{< video1 "y" >}}.', "{{< video1 >}}"),
    "zola": ('One {{ toot(id="1") }} two.', "{{ toot() }}"),
    "jekyll": ("One {% include share.html %} two.", "{% include %}"),
    "eleventy": ("One {{ collections.posts }} two.", "{{ collections.posts }}"),
    "hexo": ("One {% aplayer a b %} two.", "{% aplayer %}"),
}


@pytest.mark.parametrize("generator", UNKNOWN)
def test_an_unknown_tag_is_left_out_and_reported(generator):
    """A tag that nobody can render is left out of text and excerpt, and reported once with its line."""
    body, kind = UNKNOWN[generator]
    text = rendered("title: A", f"{body}\n", settings=settings_for(generator))
    assert kind[:3] not in text.html + text.excerpt
    found = parsed("title: A", f"First.\n\n{body}\n", settings=settings_for(generator)).unknown_tags
    assert [(tag.kind, tag.line) for tag in found] == [(kind, 6)]


@pytest.mark.parametrize("generator", ["hugo", "zola", "jekyll", "hexo"])
def test_an_unknown_tag_is_kept_if_the_site_wants_that(generator):
    """With `unknown_tags = "keep"` the tag stays in the text; it is in no excerpt."""
    body, kind = UNKNOWN[generator]
    text = rendered("title: A", body, settings=settings_for(generator, unknown_tags="keep"))
    assert (kind[:2] in text.html, kind[:2] in text.excerpt) == (True, False)


@pytest.mark.parametrize("generator", UNKNOWN)
def test_an_unknown_tag_rejects_the_post_if_the_site_wants_that(generator):
    """With `unknown_tags = "reject"` the post is rejected at the line of the tag."""
    with pytest.raises(PostError, match=r"a\.md:6: .* cannot be rendered"):
        parsed("title: A", f"x\n\n{UNKNOWN[generator][0]}", settings=settings_for(generator, unknown_tags="reject"))


def test_an_excerpt_has_no_tags():
    """A description in the front matter with a tag gives an excerpt without it, whatever is done with tags."""
    for policy in ("drop", "keep"):
        text = rendered(
            "title: A\ndescription: 'All about {{< icon sea >}}tides'",
            settings=settings_for("hugo", unknown_tags=policy),
        )
        assert text.excerpt == "All about tides"


def test_a_link_to_what_an_unknown_tag_says_becomes_text():
    """If the address of a link is an unknown tag, the words of the link stay, without an address."""
    assert shown('One [two]({{< cdn "x.pdf" >}}) three.', "hugo") == "<p>One <a>two</a> three.</p>"


def test_what_a_template_shows_does_not_depend_on_the_clock():
    """The word `now` of Liquid is the date of the post."""
    front = "title: A\ndate: 2020-05-06"
    assert shown('{{ "now" | date: "%Y" }} {{ site.time | date: "%Y" }}', "jekyll", front) == "<p>2020 2020</p>"


ENDLESS = {
    "a loop": "{% for i in (1..999999999) %}x{% endfor %} end",
    "loops in loops": "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %} end",
    "a text that doubles": '{% assign a = "xxxxxxxxxx" %}' + "{% assign a = a | append: a %}" * 40 + "{{ a }} end",
    "unclosed tags": "{{< a " * 50_000 + "{% a " * 50_000 + "{{ " * 50_000,
    "unclosed quotes": '{{< a "' * 50_000,
    "unclosed blocks": "{% highlight a %}{{< highlight a >}}{% raw %}" * 20_000,
    "open pairs": "{{< a >}}" * 20_000 + "{{< /a >}}" * 20_000,
}


@pytest.mark.parametrize("generator", ["auto", "jekyll"])
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_template_ends(body, generator):
    """A template that would not end, or needs all memory, ends: a limit is set, and the time is linear."""
    try:
        rendered("title: A", body, settings=settings_for(generator))
    except PostError:
        return


@given(
    st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "<", ">", " a ", '"', "/", "`", "\n", "raw", "end", "x|", "="]))
)
def test_no_text_breaks_a_template(parts):
    """Whatever a text with marks of tags is, it is rendered."""
    rendered("title: A", "".join(parts), settings=settings_for("auto"))
    rendered("title: A", "".join(parts), settings=settings_for("jekyll"))
