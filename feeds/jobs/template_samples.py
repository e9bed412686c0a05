"""Render each template of feeds, issues and mail with sample values, to find errors before readers see the result.

Each template is rendered with every optional part and with none, since a part that is not there hides its errors.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from feeds.core.newsletters.placeholders import NAVIGATION, NOTE
from feeds.core.newsletters.service_view import IssueLink, build_service_view
from feeds.core.newsletters.template_context import Audience
from feeds.core.syndication.feed import Feed
from feeds.errors import FeedsError
from feeds.jobs.feeds import pages
from feeds.jobs.newsletters import notices
from feeds.jobs.newsletters.issue_renderer import IssueRenderer
from feeds.jobs.site import Site
from feeds.model import (
    Author,
    EditorNote,
    Entry,
    Image,
    Issue,
    IssueContent,
    IssueState,
    Post,
    PublishedCategory,
    Selection,
    ServiceMail,
    ServiceMailKind,
    Text,
)
from feeds.settings import Newsletter

#: From so many stories on a letter has a list of them.
_STORIES = 8
#: So many feeds that their list has links to its groups.
_FEEDS = 40
#: A post of so many paragraphs does not fit in a letter, and is cut.
_PARAGRAPHS = 3_000
#: A year apart, so that an archive has two years.
_YEAR = timedelta(days=366)

_Render = Callable[[], object]


def find_template_errors(site: Site, feeds: Sequence[Feed], now: datetime) -> Iterator[FeedsError]:
    """Yield the error of each template of feeds, issues and mail that cannot be rendered."""
    renders = [*_render_feeds(site, feeds[0], now), *_render_service_mails(site)]
    for newsletter in site.settings.newsletters:
        renders += _render_issues(site, newsletter, now)
    for render in renders:
        try:
            render()
        except FeedsError as e:
            yield e


# Feeds ------------------------------------------------------------------------------------------------------------


def _render_feeds(site: Site, feed: Feed, now: datetime) -> Iterator[_Render]:
    """Yield the pages of a feed, of an archive and of all feeds."""
    texts, issues = site.texts(), [_sample_issue(one, 1, now) for one in site.settings.newsletters]
    full = dataclasses.replace(feed, subtitle="About this feed.", total=2, label="Sample")
    bare = dataclasses.replace(feed, subtitle="", total=0, entries=(), formats=())
    items = [_page_item(site, is_full=True), _page_item(site, is_full=False)]
    years = [(now.year, items), ((now - _YEAR).year, items)]
    yield partial(pages.render_feed_page, site, full, items, texts, site.icon)
    yield partial(pages.render_feed_page, site, bare, [], texts, site.icon)
    yield partial(pages.render_archive_page, site, full, years, texts)
    yield partial(pages.render_archive_page, site, bare, [], texts)
    others = [dataclasses.replace(full, kind="category", key=f"sample-{n}") for n in range(_FEEDS)]
    yield partial(pages.render_feed_list, site, [full, *others], issues)
    yield partial(pages.render_feed_list, site, [bare], [])


def _page_item(site: Site, *, is_full: bool) -> pages.PageItem:
    item = pages.PageItem(title="Sample", url=site.settings.site.url, lang=site.settings.site.language, separator="·")
    if not is_full:
        return item
    image = pages.PageImage(url=f"{site.settings.site.url}sample.png", alt="Sample")
    return dataclasses.replace(item, topic="Sample", excerpt="Some words.", facts=("Ann", "1 min"), image=image)


# Issues -----------------------------------------------------------------------------------------------------------


def _render_issues(site: Site, newsletter: Newsletter, now: datetime) -> Iterator[_Render]:
    """Yield the letters, pages and notices of a newsletter."""
    words = "<p>Some <em>words</em>.</p>" * (_PARAGRAPHS if newsletter.template == "letter" else 1)
    sponsored = _renderer(site, replace(newsletter, sponsor="Some words."), now)
    yield from _render_issue(sponsored, _full_content(site, words, now))
    yield from _render_issue(_renderer(site, replace(newsletter, sponsor=""), now), _bare_content(site, now))
    issue = _sample_issue(newsletter, 1, now)
    corrected = dataclasses.replace(_renderer(site, newsletter, now), corrects=issue)
    yield from _render_issue(corrected, _correction())
    yield from _render_notices(site, newsletter, issue, now)


def _render_issue(renderer: IssueRenderer, content: IssueContent) -> Iterator[_Render]:
    yield partial(renderer.render_subscriber_letter, content, None)
    yield partial(renderer.render_letter, content, audience=Audience.COPY)
    if renderer.newsletter.archive != "off":
        yield partial(renderer.render_page, content)


def _render_notices(site: Site, newsletter: Newsletter, issue: Issue, now: datetime) -> Iterator[_Render]:
    correction = replace(_sample_issue(newsletter, 2, now), corrects=issue.id)
    retracted = replace(issue, retracted_at=now, retraction="Some words.")
    for about, others in ((retracted, [correction]), (replace(retracted, retraction=""), []), (issue, [correction])):
        for page in ("", NAVIGATION):
            yield partial(notices.render_page_notice, site, newsletter, about, others, page)
        yield partial(notices.render_entry_notice, site, newsletter, about, others)


def _renderer(site: Site, newsletter: Newsletter, now: datetime) -> IssueRenderer:
    return IssueRenderer(site=site, newsletter=newsletter, number=2, slot=now, composed_at=now, seed=bytes(16))


def _sample_issue(newsletter: Newsletter, number: int, now: datetime) -> Issue:
    return Issue(
        id=number,
        newsletter=newsletter.name,
        number=number,
        slot=now,
        state=IssueState.SENT,
        subject="Sample",
        posts=1,
        recipients=1,
        sent=1,
    )


def _full_content(site: Site, html: str, now: datetime) -> IssueContent:
    """Return an issue with every optional part, whose posts have this HTML."""
    labels = [*list(site.settings.categories)[:1], "Sample", "Other"]
    categories = [(PublishedCategory(term=one, label=one, slug=f"sample-{n}"),) for n, one in enumerate(labels)]
    shared = [*categories, ()]  # some posts have none
    entries = tuple(_entry(site, now, n, categories=shared[n % len(shared)], is_full=True) for n in range(_STORIES + 2))
    note = EditorNote(path="sample.md", digest="", subject="Sample", html="<p>Some words.</p>")
    selection = Selection(stories=entries[:_STORIES], also=entries[_STORIES:], note=note)
    text = Text(html=html, excerpt="Some words.", reading_minutes=3)
    return IssueContent(selection=selection, texts={entry.post.path: text for entry in entries})


def _bare_content(site: Site, now: datetime) -> IssueContent:
    """Return an issue without any optional part."""
    entry = _entry(site, now, 0)
    text = Text(html="", excerpt="", reading_minutes=0)
    return IssueContent(selection=Selection(stories=(entry,)), texts={entry.post.path: text})


def _correction() -> IssueContent:
    note = EditorNote(path="sample.md", digest="", subject="", html="<p>Some words.</p>")
    return IssueContent(selection=Selection(stories=(), note=note), texts={})


def _entry(
    site: Site, now: datetime, number: int, *, categories: tuple[PublishedCategory, ...] = (), is_full: bool = False
) -> Entry:
    url, path = site.settings.site.url, f"sample-{number}.md"
    post = Post(
        path=path,
        title=f"Sample {number}",
        published=now,
        lang=site.settings.site.language,
        slug=f"sample-{number}",
        url=f"{url}sample-{number}/",
        text_digest=path,
        text_size=20,
        authors=(Author(name="Ann"),) if is_full else (),
        image=Image(url=f"{url}sample.png", alt="Sample") if is_full else None,
    )
    return Entry(id=f"tag:sample.example,2026:{number}", post=post, categories=categories, tags=(), updated=now)


# Mail outside of any issue ----------------------------------------------------------------------------------------


def _render_service_mails(site: Site) -> Iterator[_Render]:
    link = {"url": site.settings.site.url, "unsubscribe": "sample"}
    for kind in ServiceMailKind:
        for values in (link, {"reply": "sample"}, {}):
            mail = ServiceMail(
                id=1,
                kind=kind,
                recipient="ann@example.com",
                lang=None,
                values={"titles": "Sample", "newsletters": "sample"} | values,
                seed=bytes(16),
                tries=0,
                handed_over_at=None,
            )
            yield partial(_render_service_mail, site, mail, is_full=values is link)


def _render_service_mail(site: Site, mail: ServiceMail, *, is_full: bool) -> None:
    """Render a mail; a full one has an editor's text, links to issues, and can be unsubscribed from."""
    texts, templates, url = site.texts(), site.templates, site.settings.site.url
    links = (IssueLink(subject="Sample", url=url, newsletter="Sample"), IssueLink(subject="Sample", url=url))
    view = build_service_view(mail, texts, site.settings, ("Some words.",) if is_full else (), links if is_full else ())
    view = dataclasses.replace(view, unsubscribe_url=url if is_full else None)
    context = {"letter": view, "t": texts.plain}
    templates.render_mjml("service.mjml", context, {NOTE: "<p>Some words.</p>" if is_full else ""})
    templates.render("service.txt", context)
