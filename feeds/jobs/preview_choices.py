"""The preferences of subscribers for which the preview can show the letter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feeds.core.newsletters.selection import selection_for
from feeds.jobs.newsletters.next_issue import NextIssue
from feeds.jobs.posts.survey import Survey
from feeds.jobs.site import Site
from feeds.model import SubscriberPreferences
from feeds.settings import Newsletter

if TYPE_CHECKING:
    from feeds.edges.store.issues import Issues


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewChoices:
    """Preferences that give different letters."""

    #: The default, everything, is the first; then the languages of the site, what subscribers have chosen, and topics.
    used: tuple[SubscriberPreferences, ...] = (SubscriberPreferences(),)
    #: The other languages with texts, which a subscriber may choose.
    other_languages: tuple[SubscriberPreferences, ...] = ()

    def get(self, number: int) -> SubscriberPreferences | None:
        """Return the preferences with a number, those that are used first; None if there are none."""
        both = (*self.used, *self.other_languages)
        return both[number] if number in range(len(both)) else None


def list_choices(
    site: Site, newsletter: Newsletter, issue: NextIssue, survey: Survey, issues: "Issues"
) -> PreviewChoices:
    """Return the preferences for the next issue of a newsletter; of those that give the same letter only the first."""
    chosen = list(issues.load_preferences(newsletter.name))
    langs = [*site.languages, *(entry.post.lang for entry in survey.catalogue.entries), *(one.lang for one in chosen)]
    topics = dict.fromkeys(topic.label for entry in issue.content.selection.stories for topic in entry.categories)
    used = [
        SubscriberPreferences(),
        *(SubscriberPreferences(lang=lang) for lang in dict.fromkeys(filter(None, langs))),
        *chosen,
        *(SubscriberPreferences(topics=(topic,)) for topic in topics),
    ]
    others = [SubscriberPreferences(lang=lang) for lang in site.templates.languages()]
    different = list(_different_letters(site, newsletter, issue, (*used, *others)))
    return PreviewChoices(
        used=tuple(one for one in different if one in used),
        other_languages=tuple(one for one in different if one not in used),
    )


def _different_letters(
    site: Site, newsletter: Newsletter, issue: NextIssue, preferences: Iterable[SubscriberPreferences]
) -> Iterator[SubscriberPreferences]:
    """Yield the first of the preferences that give the same letter; a letter has a language and a set of posts."""
    seen = set[object]()
    for one in preferences:
        selected = selection_for(issue.content.selection, one, site.settings.categories)
        posts = selected and tuple(entry.id for entry in (*selected.stories, *selected.also))
        letter = posts and (site.texts(newsletter, one.lang).lang, posts)
        if letter not in seen:
            seen.add(letter)
            yield one
