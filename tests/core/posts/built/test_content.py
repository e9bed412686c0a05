"""The text of a post in pages as site generators make them."""

import pytest

from feeds.core.posts.built.own_text import own_text
from feeds.core.posts.built.content import extract_content
from feeds.core.posts.built.words import split_words
from feeds.core.posts.markdown import sanitize_html
from feeds.core.posts.post_file import PostFile
from feeds.core.posts.text import text_content
from tests.core.factory import SETTINGS

BASE = "https://example.com/2026/a/"
#: A post with most of what a post can have.
SOURCE = """
Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.[^1]

## What you need

Five hundred grams of flour, a little salt, and water that is *not* too warm.

- a large bowl
- a scale that knows grams

```python
def rest(hours):
    return "longer" if hours < 12 else "enough"
```

![The dough after a night](/img/dough.jpg)

> Patience is the cheapest ingredient of all.

The oven is hot when a drop of water dances on its floor.

[^1]: Overnight means twelve hours, at least in winter.
"""
FRONT = "title: Bread on Fridays\ndate: 2026-11-20\nauthor: Ada Miller\ntags: [bread, kitchen]\ndescription: A dough that rests."


def own(source=SOURCE, front=FRONT, path="a.md"):
    file = PostFile(path, f"---\n{front}\n---\n{source}".encode(), SETTINGS)
    return own_text(file, file.read_title())


def shown(page, source=SOURCE, selector="", **given):
    """Return the sanitised HTML of the text in a page, or fail."""
    found = extract_content(page.encode(), own(source, **given), selector)
    assert not found.problem
    return sanitize_html(found.html, BASE)


def problem(page, source=SOURCE, selector=""):
    return extract_content(page.encode(), own(source), selector).problem


#: What the text is in every page below.
WORDS = split_words(
    "Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight. 1"
    " What you need Five hundred grams of flour, a little salt, and water that is not too warm. a large bowl"
    " a scale that knows grams def rest(hours): return longer if hours < 12 else enough"
    " Patience is the cheapest ingredient of all. The oven is hot when a drop of water dances on its floor."
    " Overnight means twelve hours, at least in winter."
)
CODE = '<pre><code class="language-python">def rest(hours):\n    return "longer" if hours &lt; 12 else "enough"\n</code></pre>'
_QUOTE = "<blockquote><p>Patience is the cheapest ingredient of all.</p></blockquote>"
_LAST = "<p>The oven is hot when a drop of water dances on its floor.</p>"
_NEED = "<p>Five hundred grams of flour, a little salt, and water that is <em>not</em> too warm.</p><ul><li>a large bowl</li><li>a scale that knows grams</li></ul>"

HUGO = f"""<!doctype html><html lang=en><head><meta charset=utf-8><title>Bread on Fridays | Kitchen</title><style>.chroma{{}}</style></head>
<body><header class=site-header><a href=/>Kitchen</a><nav><ul><li><a href=/posts/>Posts</a></li><li><a href=/about/>About us</a></li></ul></nav></header>
<main><article><header><h1>Bread on Fridays</h1><p class=meta>By <a href=/authors/ada/>Ada Miller</a> · <time datetime=2026-11-20>November 20, 2026</time> · 2 min read</p></header>
<aside class=toc><details><summary>Contents</summary><nav id=TableOfContents><ul><li><a href=#what-you-need>What you need</a></li></ul></nav></details></aside>
<div class=single__body><p>Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.<sup id=fnref:1><a href=#fn:1 class=footnote-ref role=doc-noteref>1</a></sup></p>
<h2 id=what-you-need>What you need <a class=anchor aria-hidden=true href=#what-you-need>#</a></h2>{_NEED}
<div class=highlight><div class=chroma><table class=lntable><tr><td class=lntd><pre tabindex=0 class=chroma><code><span class=lnt>1
</span><span class=lnt>2
</span></code></pre></td><td class=lntd><pre tabindex=0 class=chroma><code class=language-python data-lang=python><span class=line><span class=cl><span class=k>def</span> <span class=nf>rest</span><span class=p>(</span><span class=n>hours</span><span class=p>):</span>
</span></span><span class=line><span class=cl>    <span class=k>return</span> <span class=s2>&#34;longer&#34;</span> <span class=k>if</span> <span class=n>hours</span> <span class=o>&lt;</span> <span class=mi>12</span> <span class=k>else</span> <span class=s2>&#34;enough&#34;</span>
</span></span></code></pre></td></tr></table></div><button class=copy-code-button>Copy</button></div>
<figure><img loading=lazy src=/img/dough.jpg alt="The dough after a night"></figure>{_QUOTE}{_LAST}
<div class=footnotes role=doc-endnotes><hr><ol><li id=fn:1><p>Overnight means twelve hours, at least in winter.&#160;<a href=#fnref:1 class=footnote-backref role=doc-backlink>&#8617;&#xfe0e;</a></p></li></ol></div></div>
<footer><ul class=tags><li><a href=/tags/bread/>bread</a></li><li><a href=/tags/kitchen/>kitchen</a></li></ul><div class=share><a href=https://social.example/share>Share this post</a></div></footer></article>
<section class=related><h2>Related posts</h2><article><h3><a href=/x/>Cakes that wait</a></h3><p>Another dough that rests overnight.</p></article></section></main>
<footer><p>© Kitchen. All rights reserved.</p></footer></body></html>"""

JEKYLL = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Bread on Fridays</title></head><body>
<header class="site-header" role="banner"><div class="wrapper"><a class="site-title" rel="author" href="/">Kitchen</a></div></header>
<main class="page-content" aria-label="Content"><div class="wrapper">
<article class="post h-entry" itemscope itemtype="http://schema.org/BlogPosting">
<header class="post-header"><h1 class="post-title p-name" itemprop="name headline">Bread on Fridays</h1><p class="post-meta"><time class="dt-published" datetime="2026-11-20T00:00:00+00:00" itemprop="datePublished">Nov 20, 2026</time></p></header>
<div class="post-content e-content" itemprop="articleBody"><p>Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.<sup id="fnref:1"><a href="#fn:1" class="footnote" rel="footnote" role="doc-noteref">1</a></sup></p>
<h2 id="what-you-need">What you need</h2>{_NEED}
<div class="language-python highlighter-rouge"><div class="highlight"><pre class="highlight"><code><table class="rouge-table"><tbody><tr><td class="rouge-gutter gl"><pre class="lineno">1
2
</pre></td><td class="rouge-code"><pre><span class="k">def</span> <span class="nf">rest</span><span class="p">(</span><span class="n">hours</span><span class="p">):</span>
    <span class="k">return</span> <span class="sh">"</span><span class="s">longer</span><span class="sh">"</span> <span class="k">if</span> <span class="n">hours</span> <span class="o">&lt;</span> <span class="mi">12</span> <span class="k">else</span> <span class="sh">"</span><span class="s">enough</span><span class="sh">"</span>
</pre></td></tr></tbody></table></code></pre></div></div>
<p><img src="/img/dough.jpg" alt="The dough after a night" /></p>{_QUOTE}{_LAST}
<div class="footnotes" role="doc-endnotes"><ol><li id="fn:1"><p>Overnight means twelve hours, at least in winter. <a href="#fnref:1" class="reversefootnote" role="doc-backlink">&#8617;</a></p></li></ol></div>
</div><div id="disqus_thread"></div><noscript>Please enable JavaScript to view the comments powered by Disqus.</noscript><a class="u-url" href="/2026/a/" hidden></a></article></div></main></body></html>"""

ELEVENTY = f"""<!doctype html><html lang="en"><body><a href="#skip" class="visually-hidden">Skip to main content</a><header><a href="/">Kitchen</a></header>
<main id="skip"><heading-anchors>
<h1>Bread on Fridays</h1><ul class="post-metadata"><li><time datetime="2026-11-20">20 November 2026</time></li><li><a href="/tags/bread/" class="post-tag">bread</a>, </li><li><a href="/tags/kitchen/" class="post-tag">kitchen</a></li></ul>
<p>Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.<sup class="footnote-ref"><a href="#fn1" id="fnref1">[1]</a></sup></p>
<h2 id="what-you-need" tabindex="-1"><a class="header-anchor" href="#what-you-need">What you need</a></h2>{_NEED}
<pre class="language-python" tabindex="0"><code class="language-python"><span class="token keyword">def</span> <span class="token function">rest</span><span class="token punctuation">(</span>hours<span class="token punctuation">)</span><span class="token punctuation">:</span><br>    <span class="token keyword">return</span> <span class="token string">"longer"</span> <span class="token keyword">if</span> hours <span class="token operator">&lt;</span> <span class="token number">12</span> <span class="token keyword">else</span> <span class="token string">"enough"</span></code></pre>
<p><picture><source type="image/avif" srcset="/img/x-960.avif 960w"><img loading="lazy" alt="The dough after a night" src="/img/dough.jpg"></picture></p>{_QUOTE}{_LAST}
<hr class="footnotes-sep"><section class="footnotes"><ol class="footnotes-list"><li id="fn1" class="footnote-item"><p>Overnight means twelve hours, at least in winter. <a href="#fnref1" class="footnote-backref">↩︎</a></p></li></ol></section>
<ul class="links-nextprev"><li class="links-nextprev-prev">← Previous<br> <a href="/blog/cakes/">Cakes that wait</a></li></ul>
</heading-anchors></main><footer>Built with Eleventy</footer></body></html>"""

ZOLA = f"""<!DOCTYPE html><html lang="en"><body><div class="content"><header><div class="main"><a href="https://example.com">Kitchen</a></div></header><main>
<article><div class="title"><div class="page-header">Bread on Fridays<span class="primary-color">.</span></div><div class="meta">Posted on <time>2026-11-20</time> :: <time>123</time> Words :: <span class="tags-label">Tags:</span> <span class="tags"><a href="https://example.com/tags/bread/" class="post-tag">bread</a>, <a href="https://example.com/tags/kitchen/" class="post-tag">kitchen</a></span></div></div>
<section class="body"><p>Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.<sup class="footnote-reference" id="fr-1-1"><a href="#fn-1">1</a></sup></p>
<h2 id="what-you-need"><a class="zola-anchor" href="#what-you-need" aria-label="Anchor link for: what-you-need">🔗</a>What you need</h2>{_NEED}
<pre data-linenos data-lang="python" style="background-color:#2b303b;color:#c0c5ce;" class="language-python "><code class="language-python" data-lang="python"><table><tbody><tr><td>1</td><td><span style="color:#b48ead;">def </span><span style="color:#8fa1b3;">rest</span><span>(</span><span style="color:#bf616a;">hours</span><span>):
</span></td></tr><tr><td>2</td><td><span>    </span><span style="color:#b48ead;">return </span><span>"longer" </span><span style="color:#b48ead;">if </span><span>hours &lt; </span><span style="color:#d08770;">12 </span><span style="color:#b48ead;">else </span><span>"enough"
</span></td></tr></tbody></table></code></pre>
<p><img src="/img/dough.jpg" alt="The dough after a night"></p>{_QUOTE}{_LAST}
<footer class="footnotes"><ol class="footnotes-list"><li id="fn-1"><p>Overnight means twelve hours, at least in winter. <a href="#fr-1-1">↩</a></p></li></ol></footer>
</section></article></main></div></body></html>"""

DOCUSAURUS = f"""<!doctype html><html lang="en" dir="ltr" class="blog-wrapper blog-post-page"><head><meta charset="UTF-8"><title>Bread on Fridays | Kitchen</title></head><body class="navigation-with-keyboard"><div id="__docusaurus">
<nav aria-label="Main" class="navbar"><div class="navbar__inner"><a class="navbar__brand" href="/">Kitchen</a></div></nav>
<div class="main-wrapper"><div class="container"><div class="row"><aside class="col col--3"><nav class="sidebar" aria-label="Blog recent posts navigation"><div>All posts</div><ul><li><a href="/blog/a">Bread on Fridays</a></li></ul></nav></aside>
<main class="col col--7"><article class=""><header><h1 class="title_f1Hy">Bread on Fridays</h1><div class="container_mt6G"><time datetime="2026-11-20T00:00:00.000Z">November 20, 2026</time> · <!-- -->2 min read</div><div class="authors"><div class="avatar"><img class="avatar__photo" src="/ada.png" alt="Ada Miller"><div class="avatar__intro"><div class="avatar__name"><span>Ada Miller</span></div><small class="title">Baker at large</small></div></div></div></header>
<div id="__blog-post-container" class="markdown"><p>Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.<sup><a href="#user-content-fn-1-abc" id="user-content-fnref-1-abc" data-footnote-ref="true" aria-describedby="footnote-label">1</a></sup></p>
<h2 class="anchor anchorWithStickyNavbar_LWe7" id="what-you-need">What you need<a href="#what-you-need" class="hash-link" aria-label="Direct link to What you need" title="Direct link to What you need">\u200b</a></h2>{_NEED}
<div class="language-python codeBlockContainer_Ckt0 theme-code-block"><div class="codeBlockContent_biex"><pre tabindex="0" class="prism-code language-python codeBlock_bY9V thin-scrollbar"><code class="codeBlockLines_e6Vv"><span class="token-line" style="color:#393A34"><span class="token keyword">def</span><span class="token plain"> </span><span class="token function">rest</span><span class="token plain">(hours):</span><br></span><span class="token-line" style="color:#393A34"><span class="token plain">    return "longer" if hours &lt; 12 else "enough"</span><br></span></code></pre><div class="buttonGroup__atx"><button type="button" aria-label="Copy code to clipboard" title="Copy" class="clean-btn"><span class="copyButtonIcons_eSgA" aria-hidden="true"><svg viewBox="0 0 24 24"><path d="M19"></path></svg></span></button></div></div></div>
<p><img decoding="async" loading="lazy" src="/img/dough.jpg" alt="The dough after a night" class="img_ev3q"></p>{_QUOTE}{_LAST}
<section data-footnotes="true" class="footnotes"><h2 class="anchor anchorWithStickyNavbar_LWe7 sr-only" id="footnote-label">Footnotes<a href="#footnote-label" class="hash-link">\u200b</a></h2><ol><li id="user-content-fn-1-abc"><p>Overnight means twelve hours, at least in winter. <a href="#user-content-fnref-1-abc" data-footnote-backref="" aria-label="Back to reference 1" class="data-footnote-backref">↩</a></p></li></ol></section></div>
<footer class="docusaurus-mt-lg"><div class="row margin-top--sm"><div class="col"><b>Tags:</b><ul class="tags"><li><a href="/blog/tags/bread">bread</a></li><li><a href="/blog/tags/kitchen">kitchen</a></li></ul></div></div><a href="https://git.example/edit" class="theme-edit-this-page"><svg aria-hidden="true"></svg>Edit this page</a></footer></article>
<nav class="pagination-nav" aria-label="Blog post page navigation"><a class="pagination-nav__link" href="/blog/cakes"><div>Older post</div><div>Cakes that wait</div></a></nav></main>
<div class="col col--2"><div class="tableOfContents_bqdL thin-scrollbar"><ul class="table-of-contents"><li><a href="#what-you-need" class="table-of-contents__link">What you need</a></li></ul></div></div></div></div></div></div></body></html>"""

ASTRO = f"""<!DOCTYPE html><html lang="en"><body data-astro-cid-x><header data-astro-cid-3><nav><h2><a href="/">Kitchen</a></h2></nav></header><main data-astro-cid-x><article>
<div class="hero-image"><img width="1020" height="510" src="/_astro/hero.webp" alt=""></div><div class="prose"><div class="title"><div class="date"><time datetime="2026-11-20T00:00:00.000Z"> Nov 20, 2026 </time></div><h1>Bread on Fridays</h1><hr></div>
<p>Bread wants time more than it wants work. This is how we bake on Fridays, with a dough that rests overnight.<sup><a href="#user-content-fn-1" id="user-content-fnref-1" data-footnote-ref="" aria-describedby="footnote-label">1</a></sup></p>
<div class="sl-heading-wrapper level-h2"><h2 id="what-you-need">What you need</h2><a class="sl-anchor-link" href="#what-you-need"><span aria-hidden="true" class="sl-anchor-icon"><svg><path d="m"></path></svg></span><span class="sr-only">Section titled “What you need”</span></a></div>{_NEED}
<div class="expressive-code"><figure class="frame not-content"><figcaption class="header"></figcaption><pre data-language="python"><code><div class="ec-line"><div class="gutter"><div class="ln" aria-hidden="true">1</div></div><div class="code"><span style="--0:#C792EA">def</span><span style="--0:#D6DEEB"> rest(hours):</span></div></div><div class="ec-line"><div class="gutter"><div class="ln" aria-hidden="true">2</div></div><div class="code"><span class="indent">    </span><span>return "longer" if hours &lt; 12 else "enough"</span></div></div></code></pre><div class="copy"><button title="Copy to clipboard" data-copied="Copied!" data-code="def"><div></div></button></div></figure></div>
<p><img src="/img/dough.jpg" alt="The dough after a night" loading="lazy" decoding="async"></p>{_QUOTE}{_LAST}
<section data-footnotes="" class="footnotes"><h2 class="sr-only" id="footnote-label">Footnotes</h2><ol><li id="user-content-fn-1"><p>Overnight means twelve hours, at least in winter. <a href="#user-content-fnref-1" data-footnote-backref="" aria-label="Back to reference 1" class="data-footnote-backref">↩</a></p></li></ol></section>
</div></article></main><footer data-astro-cid-s>© 2026 Kitchen. All rights reserved.</footer></body></html>"""

PAGES = {"Hugo": HUGO, "Jekyll": JEKYLL, "Eleventy": ELEVENTY, "Zola": ZOLA, "Docusaurus": DOCUSAURUS, "Astro": ASTRO}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_words_of_an_entry_are_those_of_the_text_in_the_page(page):
    """In a page as each generator makes it, the text has all words of the post and none of the rest of the page."""
    assert split_words(text_content(shown(page))) == WORDS
    assert 'src="https://example.com/img/dough.jpg"' in shown(page)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_code_stays_and_its_colours_go(page):
    """Code keeps its lines and language, and has no numbers, colours and buttons."""
    html = shown(page)
    assert CODE.replace("\n</code>", "</code>") in html.replace("\n</code>", "</code>")
    assert html.count("<pre") == 1


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_nothing_but_the_post_is_left(page):
    """No link leads to a heading or a footnote of the page, and only the picture of the post is left."""
    html = shown(page)
    assert html.count("<img") == 1
    assert "#" not in html.replace("&#", "")
