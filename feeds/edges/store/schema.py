"""The tables of the memory. `fresh.sql` makes the same at once for a new SQLite file; a test holds the two together.

Times are UTC, without zone (SQLite has none). What must never happen twice is unique here, not in the program: a
slot's issue, a newsletter's announcement of an entry, an issue's delivery to an address.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

#: Every entry that was ever public: its id is never given to another.
entries = Table(
    "entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("text_digest", String(32), nullable=False),
    Column("first_public_at", DateTime, nullable=False),
    #: By what it is known again; None in what older versions wrote down.
    Column("title", Text),
    #: ISO 8601, with offset.
    Column("published", String(40)),
    Column("sketch", LargeBinary),
)

#: What an entry was until it was found under another path, with another title or another text.
entry_history = Table(
    "entry_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), nullable=False, index=True),
    Column("until", DateTime, nullable=False),
    Column("path", Text, nullable=False),
    Column("text_digest", String(32), nullable=False),
    Column("title", Text),
)

#: Every feed that was ever published.
feeds = Table(
    "feeds",
    metadata,
    #: What it is made by, and of what, as names are compared.
    Column("kind", String(16), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("id", Text, nullable=False),
    #: Below `public/`. A slug that was given stays given.
    Column("folder", Text, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    #: What the feed said last: it never goes back.
    Column("updated", DateTime),
    #: Where it lay before: a JSON list.
    Column("former", Text, nullable=False),
)

#: Which entries of a feed are together in which archive document; written once, then only added to.
archive_pages = Table(
    "archive_pages",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    #: How many it takes.
    Column("size", Integer, nullable=False),
    #: A JSON list of ids: a page is read and written whole, and there may be thousands.
    Column("entries", Text, nullable=False),
)

#: Feeds, or single documents of them, that were ended on purpose.
retired = Table(
    "retired",
    metadata,
    #: Below `public/`; a folder ends with a slash.
    Column("path", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Documents that have changed and whose hub does not know yet.
pings = Table(
    "pings",
    metadata,
    Column("path", Text, primary_key=True),
    Column("since", DateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", DateTime, nullable=False),
)

#: Since when files may have changed that `publish.after` has not been run for; one row, or none.
undeployed = Table("undeployed", metadata, Column("since", DateTime, primary_key=True))

issues = Table(
    "issues",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("slot", DateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("composed_at", DateTime, nullable=False),
    #: False while it waits for a person; then nobody is written down to get it yet.
    Column("approved", Boolean, nullable=False, server_default="1"),
    #: A digest of the editor's note, so that no note is used twice; empty without one.
    Column("note", String(32), nullable=False, server_default=""),
    #: From which the tokens of its deliveries are made (see `feeds.core.newsletters.tokens`): not from a key in a
    #: file, which may be lost or replaced while letters are on their way.
    Column("seed", LargeBinary, nullable=False, server_default=""),
    #: Why nothing of it is handed over for now; empty: it is.
    Column("halted", Text, nullable=False, server_default=""),
    #: How it was sent, as in `mail.transport`; empty where nobody wrote that down.
    Column("transport", Text, nullable=False, server_default=""),
    #: How many it went to, and how many of them it reached: kept, since there may be millions to count.
    Column("recipients", Integer, nullable=False, server_default="0"),
    Column("sent", Integer, nullable=False, server_default="0"),
    #: When it was taken back, and why, for everybody to read.
    Column("retracted_at", DateTime),
    Column("retraction", Text, nullable=False, server_default=""),
    #: The id of the issue that it corrects, for those who got that one.
    Column("corrects", Integer),
    #: Whether it may go to all: the first of them have shown that it may, or somebody has said so.
    Column("whole", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("newsletter", "slot"),
    UniqueConstraint("newsletter", "number"),
    CheckConstraint("state IN ('sending', 'sent')", name="state"),
)

#: What a newsletter has told its readers, or counts as told. How: story, also (by title), passed_over (not shown).
announced = Table(
    "announced",
    metadata,
    Column("newsletter", Text, primary_key=True),
    Column("entry_id", ForeignKey("entries.id"), primary_key=True),
    Column("issue_id", ForeignKey("issues.id"), nullable=False, index=True),
    Column("how", String(16), nullable=False),
    Column("position", Integer, nullable=False),
    CheckConstraint("how IN ('story', 'also', 'passed_over')", name="how"),
)

#: What an issue says, apart from `issues`, which every pass looks through.
contents = Table(
    "contents",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    #: The page of the archive, kept so that it stays as sent, and the entry of the newsletter's feed.
    Column("page", Text, nullable=False),
    Column("entry", Text, nullable=False),
    #: JSON: what it tells, until the letters are made of it.
    Column("content", LargeBinary),
)

#: An issue rendered for readers with one choice, and as it goes out.
letters = Table(
    "letters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", ForeignKey("issues.id"), nullable=False, index=True),
    Column("lang", String(35), nullable=False),
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    #: JSON: as it goes out, written down before it does, so that whoever gets it later gets the same.
    Column("encoded", LargeBinary),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False),
    #: As addresses are compared.
    Column("email_key", Text, nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("lang", String(35)),
    Column("consent", Text, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("status_at", DateTime, nullable=False),
    #: A name of the IANA database.
    Column("timezone", String(64)),
    #: What they came by: `add`, or the name of a file.
    Column("source", Text, nullable=False, server_default=""),
    CheckConstraint(
        "status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')",
        name="status",
    ),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("newsletter", Text, primary_key=True, index=True),
    #: A JSON list of the categories they want, sorted; all where it is empty.
    Column("topics", Text, nullable=False, server_default="[]"),
)

#: Who must not be written to again, though they were erased: digests that only the key can compare.
suppressions = Table(
    "suppressions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("reason", String(16), nullable=False),
    Column("at", DateTime, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", ForeignKey("issues.id"), nullable=False),
    Column("letter_id", ForeignKey("letters.id"), nullable=False),
    #: None for `copy_to` addresses and for people who were erased.
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL"), index=True),
    Column("recipient", Text, nullable=False),
    Column("recipient_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    #: The message's `Date`: set at the first hand-over, then kept.
    Column("handed_over_at", DateTime),
    Column("sent_at", DateTime),
    #: The server's last.
    Column("answer", Text),
    #: How often it said "later", and not before when it is asked again.
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime),
    #: How often no answer came.
    Column("unknowns", Integer, nullable=False, server_default="0"),
    UniqueConstraint("issue_id", "recipient_key"),
    CheckConstraint(
        "state IN ('ready', 'leased', 'handing_over', 'sent', 'deferred', 'failed', 'unknown')",
        name="state",
    ),
)
#: A million that are sent are not looked through to find the one that is not.
_OPEN = deliveries.c.state.not_in(["sent", "failed"])
Index("ix_deliveries_open", deliveries.c.issue_id, deliveries.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

#: What came back of letters that went out, and what followed; of readers only, and with them it goes.
bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False, index=True),
    #: None where only the reader was named.
    Column("delivery_id", ForeignKey("deliveries.id")),
    Column("issue_id", ForeignKey("issues.id")),
    #: The reader's, as addresses are compared.
    Column("domain", Text, nullable=False),
    #: These three: `feeds.core.subscribers.bounces`. A decision that is empty is still to come.
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("decision", String(16), nullable=False, server_default=""),
    #: The server's words.
    Column("said", Text, nullable=False),
    #: When we learned of it; what was decided was decided then.
    Column("at", DateTime, nullable=False),
    #: However often a server says so.
    UniqueConstraint("delivery_id", "kind"),
)
Index("ix_bounces_domain", bounces.c.domain, bounces.c.issue_id)
_UNDECIDED = bounces.c.decision == ""
Index("ix_bounces_undecided", bounces.c.id, sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED)

#: Who gets no letters for now; a row goes when its time has come.
pauses = Table(
    "pauses",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("until", DateTime, nullable=False),
)

#: Domains that get none, likewise.
paused_domains = Table(
    "paused_domains",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("until", DateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

#: Who has left one newsletter and still reads others, so that no list brings them back to it.
leaves = Table(
    "leaves",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("newsletter", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Messages of the bounce mailbox that have had their effect: digests.
handled_messages = Table(
    "handled_messages",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: What the operator was told to look after: each once.
alerts = Table(
    "alerts",
    metadata,
    Column("about", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Ids that were given, issues that are on their way, who has gone or has come back, until it is written into the file
#: beside the store (`feeds.edges.store.journal_file`). Triggers fill it (migration 0006), so no way of going is
#: forgotten.
journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    #: `id`, `issue`, a status, `left` or `returned` of a newsletter, a reason of the suppression list, or `allowed`.
    Column("what", String(16), nullable=False),
    #: As addresses are compared; for the suppression list its digest; the entry's id, the issue's number.
    Column("who", Text, nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)
