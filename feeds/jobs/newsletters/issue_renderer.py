"""What an issue tells -> how it looks: a letter for each group of readers, a page for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address

from msgspec.structs import replace

from feeds.config_types import NamedAddress
from feeds.core.newsletters import mailhtml, message, placeholders, template_context
from feeds.core.newsletters.fitting import MOST_ATTEMPTS, LetterExtent, shorten_letter
from feeds.core.newsletters.i18n import Texts, text_direction
from feeds.core.newsletters.selection import selection_for
from feeds.core.posts import markdown
from feeds.edges.render import mjml
from feeds.jobs.site import Site
from feeds.model import Issue, IssueContent, IssuePage, Letter, RenderedIssue, Selection, SubscriberPreferences
from feeds.settings import Newsletter


@dataclass(frozen=True, kw_only=True)
class IssueRenderer:
    """Sets one issue."""

    site: Site
    newsletter: Newsletter
    number: int
    slot: datetime
    seed: bytes
    #: The issue that this one corrects: then it tells what the editor says of that, and no posts.
    corrects: Issue | None = None
    #: Of the same language and with the same posts, a letter is set once.
    _set: dict[tuple[str, tuple[str, ...]], tuple[Selection, Letter]] = field(default_factory=dict)
    #: Whole posts as they are dressed for mail, by path: a letter that is too long is set more than once.
    _posts: dict[str, str] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """How its letters look: a correction looks like one, whichever template the newsletter has."""
        return "correction" if self.corrects else self.newsletter.template

    @property
    def headers(self) -> message.IssueHeaders:
        """What all messages of the issue share."""
        mail, host = self.site.settings.mail, self.site.settings.site.host
        listed = self.newsletter.archive == "public"
        return message.IssueHeaders(
            newsletter=self.newsletter,
            number=self.number,
            sender=mail.sender or NamedAddress(Address(self.site.settings.site.name, self.newsletter.name, host)),
            reply_to=mail.reply_to,
            zone=self.site.zone(self.newsletter),
            archive_url=self.site.settings.feeds_url if listed else None,
            seed=self.seed,
            bounces=mail.bounces.address if mail.bounces else None,
            relay_headers=tuple(header for relay in mail.relays.values() for header in relay.headers),
        )

    def render_letter(self, content: IssueContent, lang: str | None = None) -> tuple[Selection, Letter]:
        """Return the letter in a language, else in the newsletter's, and what it tells: it may not hold everything.

        Raises:
            TemplateError: a template has a fault.
        """
        words = self.site.texts(self.newsletter, lang)
        told = content.selection
        of = (words.lang, tuple(entry.id for entry in (*told.stories, *told.also)))
        if of not in self._set:
            self._set[of] = self._render_to_fit(content, words)
        return self._set[of]

    def render_page(self, content: IssueContent) -> IssuePage:
        """Return the issue as everybody may see it.

        Raises:
            TemplateError: a template has a fault.
        """
        words = self.site.texts(self.newsletter)
        spliced, _ = self._spliced(content, words, most=message.MOST_BYTES, web=True)
        html = self._compiled(content, words, spliced, web=True)
        return IssuePage(html=html, entry=self._entry(content, words))

    def subject(self, selection: Selection, words: Texts | None = None) -> str:
        """Return the subject in a language, else in the newsletter's."""
        return template_context.issue_subject(selection, words or self.site.texts(self.newsletter), self.corrects)

    def render_issue(
        self,
        content: IssueContent,
        choices: Mapping[SubscriberPreferences, int],
        copies: list[tuple[str, str]],
        *,
        of: int | None = None,
    ) -> RenderedIssue | None:
        """Return a letter for each choice, none for those that would be told nothing; None where nobody is left.

        With the id *of* an issue it is for those who got that one.

        Raises:
            TemplateError: a template has a fault.
        """
        found: dict[str, int] = {}
        letters: list[Letter] = []
        places: dict[SubscriberPreferences, int] = {}
        wanted = [*choices, *([SubscriberPreferences()] if copies else [])]
        for choice in wanted:
            told = selection_for(content.selection, choice, self.site.settings.categories)
            if told is not None:
                _, letter = self.render_letter(replace(content, selection=told), choice.lang)
                place = found.setdefault(f"{letter.lang}\0{letter.html}", len(letters))
                letters += [letter] if place == len(letters) else []
                places[choice] = place
        if not places:
            return None
        readers = {choice: place for choice, place in places.items() if choice in choices}
        return RenderedIssue(
            letters=letters,
            letter_index=readers,
            copies=copies,
            copy_letter_index=places.get(SubscriberPreferences(), 0),
            recipients_of=of,
        )

    # Fitting ----------------------------------------------------------------------------------------------------

    def _render_to_fit(self, content: IssueContent, words: Texts) -> tuple[Selection, Letter]:
        """Return a letter that mail programs show whole, and what it contains of the issue."""
        extent = LetterExtent(selection=content.selection)
        letter = self._rendered(content, words, extent.post_bytes)
        for _ in range(MOST_ATTEMPTS):
            size = message.transfer_size(letter.html)
            if size < message.MOST_BYTES:
                break
            extent = shorten_letter(extent, size, has_whole_post=self.template == "letter")
            letter = self._rendered(replace(content, selection=extent.selection), words, extent.post_bytes)
        return extent.selection, letter

    def _rendered(self, content: IssueContent, words: Texts, most: int) -> Letter:
        """Return the letter; of a whole post at most so many bytes."""
        spliced, cut = self._spliced(content, words, most=most, web=False)
        return Letter(
            lang=words.lang,
            subject=self.subject(content.selection, words),
            html=self._compiled(content, words, spliced, web=False, cut=cut),
            text=self._render(f"{self.template}.txt", content, words, web=False, cut=cut),
        )

    def _compiled(
        self, content: IssueContent, words: Texts, spliced: Mapping[str, str], *, web: bool, cut: bool = False
    ) -> str:
        template, templates = f"{self.template}.mjml", self.site.templates
        source = self._render(template, content, words, web=web, cut=cut)
        return mjml.compile_mjml(source, templates.template_path(template), templates.part_paths("letter"), spliced)

    def _render(self, name: str, content: IssueContent, words: Texts, *, web: bool, cut: bool = False) -> str:
        seen = template_context.build_letter_view(
            content.selection,
            content.texts,
            words,
            self.site.settings,
            newsletter=self.newsletter,
            number=self.number,
            slot=self.slot,
            web_url=issue_page_url(self.site, self.newsletter, self.number),
            unsubscribe_url=None if web else self.headers.unsubscribe_url,
            cut=cut,
            corrects=self.corrects,
            corrects_url=issue_page_url(self.site, self.newsletter, self.corrects.number) if self.corrects else None,
        )
        return self.site.templates.render(name, {"letter": seen, "t": words.plain})

    def _spliced(self, content: IssueContent, words: Texts, *, most: int, web: bool) -> tuple[dict[str, str], bool]:
        """Return the HTML of note, sponsor and post, and whether there is less of the post than there could be."""
        note, sponsor = content.selection.note, self.newsletter.sponsor
        said = self._dressed(note.html, words) if note and note.html else ""
        paid = self._dressed(markdown.render_markdown(sponsor), words) if sponsor else ""
        whole = self._whole(content) if self.template == "letter" else ""
        body, cut = (whole, False) if web else mailhtml.truncate_blocks(whole, most)
        return {placeholders.NOTE: said, placeholders.SPONSOR: paid, placeholders.BODY: body}, cut

    def _entry(self, content: IssueContent, words: Texts) -> str:
        """Return what the newsletter's feed shows of the issue."""
        note = content.selection.note
        if not (self.corrects and note):
            return self._render("pages/issue.html", content, words, web=True)
        said = markdown.sanitize_html(note.html, self.site.settings.site.url)
        return self._render("pages/correction.html", content, words, web=True).replace(
            placeholders.NOTE, placeholders.strip_placeholders(said)
        )

    def _dressed(self, html: str, words: Texts) -> str:
        return mailhtml.render_mail_html(html, self.site.settings.site.url, _look(self.newsletter, words.lang))

    def _whole(self, content: IssueContent) -> str:
        lead = content.selection.stories[0].post
        if lead.path not in self._posts:
            look, watch = _look(self.newsletter, lead.lang), self.site.templates.texts(lead.lang)["watch"]
            html = mailhtml.render_mail_html(content.texts[lead.path].html, lead.url, look, watch=watch)
            self._posts[lead.path] = placeholders.strip_placeholders(html)
        return self._posts[lead.path]


def _look(newsletter: Newsletter, lang: str) -> mailhtml.MailStyle:
    return mailhtml.MailStyle(
        accent=newsletter.theme.accent, start="right" if text_direction(lang) == "rtl" else "left"
    )


def issue_page_url(site: Site, newsletter: Newsletter, number: int) -> str | None:
    """Return where an issue's page is on the web; None where the newsletter has no archive."""
    if newsletter.archive == "off":
        return None
    return site.public_url(f"newsletters/{newsletter.name}/{number}/")
