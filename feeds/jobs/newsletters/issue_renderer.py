"""Render an issue: letters for groups of subscribers, and a page for the web."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from functools import cached_property, partial

from msgspec.structs import replace

from feeds.config_types import NamedAddress
from feeds.core.newsletters import lint, mailhtml, message, pagehtml, placeholders, template_context
from feeds.core.newsletters.fitting import MOST_ATTEMPTS, LetterExtent, shorten_letter
from feeds.core.newsletters.i18n import Texts
from feeds.core.newsletters.selection import selection_for
from feeds.core.newsletters.template_context import Audience, LetterLinks, LetterView
from feeds.core.newsletters.text_links import LinkNumbers
from feeds.core.newsletters.text_part import set_text
from feeds.core.newsletters.truncation import truncate_alike, truncate_blocks
from feeds.core.posts import markdown
from feeds.core.posts.text import balance_directions
from feeds.errors import TemplateError
from feeds.jobs.newsletters.issue_page_values import issue_page_url, page_values
from feeds.jobs.newsletters.letter_pictures import LetterPictures
from feeds.jobs.site import Site
from feeds.model import (
    Issue,
    IssueContent,
    IssuePage,
    Letter,
    NewIssue,
    RenderedIssue,
    Selection,
    SubscriberPreferences,
)
from feeds.settings import Newsletter

_IN_COPIES = "inside {% if letter.unsubscribe_url %}, as in the shipped letter/foot"
_NO_LINK = {
    "mjml": 'the letter would have no unsubscribe link: write <a href="{{ letter.unsubscribe_url }}">{{ t.leave }}</a>'
    f" into it, {_IN_COPIES}.mjml",
    "txt": "the text part would have no unsubscribe address: write {{ letter.unsubscribe_url }} into it, "
    f"{_IN_COPIES}.txt",
}


@dataclass(frozen=True, kw_only=True)
class IssueRenderer:
    """Renders one issue."""

    site: Site
    newsletter: Newsletter
    number: int
    slot: datetime
    #: When it is, or was, composed.
    composed_at: datetime
    seed: bytes
    #: True for letters that are shown before the converted pictures are on the web.
    original_pictures: bool = False
    #: The issue that this one corrects; a correction has a note and no posts.
    corrects: Issue | None = None
    #: True if its letters are tests: the page of the issue is not on the web yet, so they link to one that says so.
    is_test: bool = False
    #: Rendered letters and what they contain, by audience, language and entries.
    _letters: dict[tuple[Audience, str, tuple[str, ...]], tuple[Selection, Letter]] = field(default_factory=dict)
    #: Whole posts as HTML for mail, by path: a letter that is shortened is rendered more than once.
    _posts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def pictures(self) -> LetterPictures:
        """The pictures of the letters that were rendered."""
        shows_originals = self.original_pictures or self.is_test
        is_converted = self.site.settings.mail.pictures == "convert" and not shows_originals
        return LetterPictures(self.site, f"newsletters/{self.newsletter.name}/{self.number}/" if is_converted else None)

    def with_original_pictures(self) -> "IssueRenderer":
        """Return a renderer of the same issue without converted pictures."""
        if self.pictures.converts:
            return dataclasses.replace(self, original_pictures=True, _letters={}, _posts={})
        return self

    def for_test(self) -> "IssueRenderer":
        """Return a renderer of the same issue for a test letter."""
        return dataclasses.replace(self, is_test=True, _letters={}, _posts={})

    @property
    def page_url(self) -> str | None:
        """The URL of the issue's page that its letters link to; None if there is none."""
        if self.is_test:
            return self.headers.one_click_url or None
        return issue_page_url(self.site, self.newsletter, self.number)

    @property
    def template(self) -> str:
        """The name of the template: `correction`, or the newsletter's."""
        return "correction" if self.corrects else self.newsletter.template

    @property
    def headers(self) -> message.IssueHeaders:
        """The headers and addresses that all messages of the issue share."""
        mail, host = self.site.settings.mail, self.site.settings.site.host
        is_public = self.newsletter.archive == "public"
        return message.IssueHeaders(
            newsletter=self.newsletter,
            number=self.number,
            sender=mail.sender or NamedAddress(Address(self.site.settings.site.name, self.newsletter.name, host)),
            reply_to=mail.reply_to,
            zone=self.site.zone(self.newsletter),
            archive_url=self.site.public_url(f"newsletters/{self.newsletter.name}/") if is_public else None,
            seed=self.seed,
            bounces=mail.bounces.address if mail.bounces else None,
            web_url=self.site.settings.web.url,
            relay_headers=tuple(header for relay in mail.relays.values() for header in relay.headers),
        )

    def render_letter(
        self, content: IssueContent, lang: str | None = None, audience: Audience = Audience.SUBSCRIBER
    ) -> tuple[Selection, Letter]:
        """Return the letter in a language, by default the newsletter's, and the selection that fits in it.

        Raises:
            TemplateError: a template has an error.
        """
        texts = self.site.texts(self.newsletter, lang)
        selection = content.selection
        key = (audience, texts.lang, tuple(entry.id for entry in (*selection.stories, *selection.also)))
        if key not in self._letters:
            self._letters[key] = self._render_to_fit(content, texts, audience)
        return self._letters[key]

    def render_subscriber_letter(self, content: IssueContent, lang: str | None) -> Letter:
        """Return the letter for subscribers in a language, by default the newsletter's.

        Raises:
            TemplateError: a template has an error, or a part of the letter has no unsubscribe link.
        """
        _, letter = self.render_letter(content, lang)
        self._require_unsubscribe_link(letter)
        return letter

    def render_page(self, content: IssueContent) -> IssuePage:
        """Return the issue for the web, without personal links.

        Raises:
            TemplateError: a template has an error.
        """
        texts, inserts = self.site.texts(self.newsletter), self._page_inserts(content)
        view = self._view(content, texts, Audience.WEB, inserts, {})
        page = page_values(self.site, self.newsletter, view, texts)
        html = self.site.templates.render("pages/issue_page.html", {"letter": view, "page": page, "t": texts.plain})
        for placeholder, insert in inserts.items():
            html = html.replace(placeholder, insert)
        return IssuePage(html=html, entry=self._render_entry(content, view, texts))

    def subject(self, selection: Selection, texts: Texts | None = None) -> str:
        """Return the subject in the language of *texts*, by default the newsletter's."""
        return template_context.issue_subject(selection, texts or self.site.texts(self.newsletter), self.corrects)

    def render_issue(
        self,
        content: IssueContent,
        preferences: Mapping[SubscriberPreferences, int],
        copies: list[tuple[str, str]],
        *,
        recipients_of: int | None = None,
    ) -> RenderedIssue | None:
        """Return a letter for each of the *preferences* whose selection is not empty; None if there are no recipients.

        *recipients_of* is the id of an issue: only its recipients get this one.

        Raises:
            TemplateError: a template has an error, or subscribers could not unsubscribe.
        """
        letters: dict[Letter, int] = {}
        letter_index: dict[SubscriberPreferences, int] = {}
        for one in preferences:
            selection = selection_for(content.selection, one, self.site.settings.categories)
            if selection is not None:
                letter = self.render_subscriber_letter(replace(content, selection=selection), one.lang)
                letter_index[one] = letters.setdefault(letter, len(letters))
        copy_letter_index = 0
        if copies:
            _, letter = self.render_letter(content, audience=Audience.COPY)
            copy_letter_index = letters.setdefault(letter, len(letters))
        if not letters:
            return None
        return RenderedIssue(
            letters=list(letters),
            letter_index=letter_index,
            copies=copies,
            copy_letter_index=copy_letter_index,
            recipients_of=recipients_of,
        )

    def new_issue(self, selection: Selection, content: IssueContent, rendered: RenderedIssue | None) -> NewIssue:
        """Return the issue to be frozen: *selection* counts as announced, *rendered* None waits for approval.

        Raises:
            TemplateError: a template has an error.
        """
        return NewIssue(
            newsletter=self.newsletter.name,
            number=self.number,
            slot=self.slot,
            subject=self.subject(selection),
            selection=selection,
            page=self.render_page(content),
            content=content,
            seed=self.seed,
            rendered=rendered,
            transport=self.site.settings.mail.transport,
            corrects=self.corrects.id if self.corrects else None,
        )

    # Letters ----------------------------------------------------------------------------------------------------

    def _render_to_fit(self, content: IssueContent, texts: Texts, audience: Audience) -> tuple[Selection, Letter]:
        """Return a letter that mail programs show whole, and the selection that fits in it."""
        extent = LetterExtent(selection=content.selection)
        letter = self._render_letter(content, texts, extent.post_bytes, audience)
        for _ in range(MOST_ATTEMPTS):
            size = message.transfer_size(letter.html)
            if size < message.MOST_BYTES:
                break
            extent = shorten_letter(extent, size, has_whole_post=self.template == "letter")
            letter = self._render_letter(
                replace(content, selection=extent.selection), texts, extent.post_bytes, audience
            )
        return extent.selection, letter

    def _require_unsubscribe_link(self, letter: Letter) -> None:
        """Raise if a part of a letter has no unsubscribe link, since readers could not leave.

        Raises:
            TemplateError: the error has the template that should have the link.
        """
        url = self.headers.unsubscribe_url
        found = {"mjml": lint.has_unsubscribe_link(letter.html, url), "txt": url in letter.text}
        for kind, is_there in found.items():
            if not is_there:
                names = [f"{name}.{kind}" for name in ("letter/foot", self.template, "digest")]
                raise TemplateError(
                    self.site.templates.own_template_without("letter.unsubscribe_url", names), None, _NO_LINK[kind]
                )

    def _render_letter(self, content: IssueContent, texts: Texts, post_bytes: int, audience: Audience) -> Letter:
        """Return the letter, a whole post truncated to *post_bytes*."""
        inserts, cut = self._inserts(content, texts, post_bytes=post_bytes)
        in_text = self._set_texts(content, texts, inserts)
        view = self._view(content, texts, audience, inserts, in_text, cut=cut)
        return Letter(
            lang=texts.lang,
            subject=self.subject(content.selection, texts),
            html=self.site.templates.render_mjml(f"{self.template}.mjml", {"letter": view, "t": texts.plain}, inserts),
            text=self._render(f"{self.template}.txt", view, texts),
        )

    def _render(self, name: str, view: LetterView, texts: Texts) -> str:
        return self.site.templates.render(name, {"letter": view, "t": texts.plain})

    def _view(
        self,
        content: IssueContent,
        texts: Texts,
        audience: Audience,
        inserts: Mapping[str, str],
        in_text: Mapping[str, tuple[str, ...]],
        *,
        cut: bool = False,
    ) -> LetterView:
        return template_context.build_letter_view(
            content.selection,
            content.texts,
            inserts,
            in_text,
            texts,
            self.site.settings,
            newsletter=self.newsletter,
            number=self.number,
            date=max(self.slot, self.composed_at),
            links=self._links(),
            audience=audience,
            unsubscribe_url=self.headers.unsubscribe_url,
            preferences_url=self.headers.preferences_url,
            cut=cut,
            corrects=self.corrects,
            find_picture=self.pictures.find,
        )

    def _links(self) -> LetterLinks:
        newsletter, headers = self.newsletter, self.headers
        previous, archive = issue_page_url(self.site, newsletter, self.number - 1), headers.archive_url
        has_previous = self.site.public.has(f"newsletters/{newsletter.name}/{self.number - 1}/index.html")
        return LetterLinks(
            web=self.page_url,
            issues=archive,
            previous=previous if archive and has_previous else None,
            feed=archive and f"{archive}atom.xml",
            signup=signup_page_url(self.site, newsletter) or archive,
            corrected=issue_page_url(self.site, newsletter, self.corrects.number) if self.corrects else None,
        )

    def _inserts(self, content: IssueContent, texts: Texts, *, post_bytes: int) -> tuple[dict[str, str], bool]:
        """Return the HTML of note, sponsor and post by placeholder, and whether the post is truncated."""
        note, sponsor = content.selection.note, self.newsletter.sponsor
        # A correction's text is below its headline, a note is above that of the lead.
        below = 2 if self.corrects else 1
        note_html = self._to_mail_html(note.html, texts, below) if note and note.html else ""
        sponsor_html = self._to_mail_html(markdown.render_markdown(sponsor), texts) if sponsor else ""
        post_html = self._render_whole_post(content) if self.template == "letter" else ""
        body, cut = truncate_blocks(post_html, post_bytes)
        inserts = {
            placeholders.NOTE: note_html,
            placeholders.SPONSOR: sponsor_html,
            placeholders.BODY: body,
        }
        return inserts, cut

    def _set_texts(self, content: IssueContent, texts: Texts, inserts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Return note, post and sponsor as blocks of plain text, by placeholder; the post as far as in *inserts*."""
        note, sponsor, site_url = content.selection.note, self.newsletter.sponsor, self.site.settings.site.url
        numbers = LinkNumbers()
        sources: dict[str, tuple[str, str, str]] = {
            placeholders.NOTE: (note.html if note else "", site_url, texts.lang)
        }
        if self.template == "letter":
            post = content.selection.stories[0].post
            sources[placeholders.BODY] = (content.texts[post.path].html, post.url, post.lang)
        sources[placeholders.SPONSOR] = (markdown.render_markdown(sponsor) if sponsor else "", site_url, texts.lang)
        is_whole = inserts[placeholders.BODY] in {"", *self._posts.values()}
        shortened = {} if is_whole else {placeholders.BODY: inserts[placeholders.BODY]}
        return {name: self._set_text(*source, shortened.get(name), numbers) for name, source in sources.items()}

    def _set_text(
        self, html: str, page: str, lang: str, shortened: str | None, numbers: LinkNumbers
    ) -> tuple[str, ...]:
        """Return *html* as blocks of plain text, as far as *shortened*, its truncated HTML for mail, if it is."""
        fixed = self.site.templates.texts(lang)
        prepared = placeholders.strip_placeholders(mailhtml.prepare_html(html, page, watch=fixed["watch"]))
        if shortened is not None:
            prepared = truncate_alike(prepared, shortened)
        return set_text(prepared, numbers, page=page, picture=fixed["picture"])

    def _page_inserts(self, content: IssueContent) -> dict[str, str]:
        """Return the HTML of note, sponsor and whole post for the web page, by placeholder."""
        note, sponsor, base = content.selection.note, self.newsletter.sponsor, self.site.settings.site.url
        inserts = {
            placeholders.NOTE: pagehtml.render_page_html(note.html if note else "", base),
            placeholders.SPONSOR: pagehtml.render_page_html(markdown.render_markdown(sponsor), base),
            placeholders.BODY: self._whole_post_on_page(content) if self.template == "letter" else "",
        }
        return {name: placeholders.strip_placeholders(html) for name, html in inserts.items()}

    def _whole_post_on_page(self, content: IssueContent) -> str:
        """Return the HTML of the first post; its title is the page's, unless the issue has another subject."""
        post = content.selection.stories[0].post
        below = 1 if self.subject(content.selection) == balance_directions(post.title) else 2
        return pagehtml.render_page_html(content.texts[post.path].html, post.url, below=below)

    def _render_entry(self, content: IssueContent, view: LetterView, texts: Texts) -> str:
        """Return the HTML for the issue's entry in the newsletter's feed."""
        note = content.selection.note
        if not (self.corrects and note):
            return self._render("pages/issue.html", view, texts)
        note_html = markdown.sanitize_html(note.html, self.site.settings.site.url)
        return self._render("pages/correction.html", view, texts).replace(
            placeholders.NOTE, placeholders.strip_placeholders(note_html)
        )

    def _to_mail_html(self, html: str, texts: Texts, below: int = 1) -> str:
        style, find = _mail_style(self.newsletter, texts.lang), partial(self.pictures.find, post=None)
        url = self.site.settings.site.url
        return mailhtml.render_mail_html(html, url, style, below=below, find_picture=find)

    def _render_whole_post(self, content: IssueContent) -> str:
        post = content.selection.stories[0].post
        if post.path not in self._posts:
            style, watch = _mail_style(self.newsletter, post.lang), self.site.templates.texts(post.lang)["watch"]
            find_picture = partial(self.pictures.find, post=post)
            html = mailhtml.render_mail_html(
                content.texts[post.path].html, post.url, style, watch=watch, find_picture=find_picture
            )
            self._posts[post.path] = placeholders.strip_placeholders(html)
        return self._posts[post.path]


def _mail_style(newsletter: Newsletter, lang: str) -> mailhtml.MailStyle:
    return mailhtml.MailStyle.of_theme(newsletter.theme, lang)


def signup_page_url(site: Site, newsletter: Newsletter) -> str | None:
    """Return the URL of the page where readers subscribe to a newsletter; None without a web server or open sign-up."""
    web, signup = site.settings.web.url, site.settings.signup
    if web is None or not signup.open or newsletter.name not in (signup.newsletters or [newsletter.name]):
        return None
    return f"{web}subscribe?newsletter={newsletter.name}"
