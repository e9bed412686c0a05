"""Issues for tests of the store."""

from datetime import UTC, datetime

from feeds.model import IssueContent, IssuePage, Letter, NewIssue, RenderedIssue, Selection

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LETTER = Letter(lang="en", subject="S", html="<p>", text="T")


def new_issue(number=1, slot=NOW, stories=(), copies=("ada@example.org",), corrects=None, **rendered):
    """Return an issue that goes only to its copies by default."""
    selection = Selection(stories=tuple(stories))
    return NewIssue(
        newsletter="weekly",
        number=number,
        slot=slot,
        subject="S",
        selection=selection,
        page=IssuePage(html="P"),
        content=IssueContent(selection=selection, texts={}),
        seed=b"seed",
        corrects=corrects,
        rendered=RenderedIssue(
            **{"letters": [LETTER], "letter_index": {}, "copies": [(c, c) for c in copies]} | rendered
        ),
    )


def subscribe(store, email, topics=None, lang=None):
    """Subscribe an address to the newsletter `weekly`."""
    store.subscribers.subscribe(email, email, {"weekly": topics}, lang=lang, consent="asked", at=NOW)


def only_issue_id(store):
    """Return the id of the only issue in a store."""
    [issue] = store.issues.load_issues()
    return issue.id
