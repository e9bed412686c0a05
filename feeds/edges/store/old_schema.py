"""The tables of the store. `fresh.sql` creates the same tables at once for a new SQLite file; a test compares both.

Times are UTC, without an offset (SQLite has no type for it). Whatever must happen only once has a unique key here: the
issue of a slot, the announcement of an entry in a newsletter, the delivery of an issue to an address.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
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

#: Every entry that was ever public: its id is never assigned again.
entries = Table(
    "entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("text_digest", String(32), nullable=False),
    Column("first_public_at", DateTime, nullable=False),
    #: To find the entry again; None if an older version has stored it.
    Column("title", Text),
    #: ISO 8601, with offset.
    Column("published", String(40)),
    Column("sketch", LargeBinary),
    #: The id that its post has now, if it was given another one.
    Column("replaced_by", Text),
    #: See `model.AdoptedDate`: ISO 8601, with offset; None unless the id comes from another program's feed.
    Column("own_updated", String(40)),
    Column("shown_updated", String(40)),
)

#: Earlier versions of an entry, before it got another path, title or text.
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
    #: What the feed is of, and its name as names are compared.
    Column("kind", String(16), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("id", Text, nullable=False),
    #: Below `public/`. A slug never changes.
    Column("folder", Text, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    #: The last `updated` of the feed; it never decreases.
    Column("updated", DateTime),
    #: Former folders: a JSON list.
    Column("former", Text, nullable=False),
)

#: Which entries are in which archive document of a feed; entries are only ever added.
archive_pages = Table(
    "archive_pages",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    #: How many entries it can have.
    Column("size", Integer, nullable=False),
    #: A JSON list of ids: a page is read and written as a whole, and there may be thousands of pages.
    Column("entries", Text, nullable=False),
)

#: Feeds, or single documents of them, that were retired.
retired = Table(
    "retired",
    metadata,
    #: Below `public/`; a folder ends with a slash.
    Column("path", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Changed documents whose hub has not been notified yet.
pings = Table(
    "pings",
    metadata,
    Column("path", Text, primary_key=True),
    Column("since", DateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", DateTime, nullable=False),
)

#: Since when files may have changed without a run of `publish.after`; one row, or none.
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
    #: False while it waits for approval; then it has no deliveries yet.
    Column("approved", Boolean, nullable=False, server_default="1"),
    #: A digest of the editor's note, so that no note is used twice; empty without a note.
    Column("note", String(32), nullable=False, server_default=""),
    #: From which the tokens of its deliveries are made (see `feeds.core.newsletters.tokens`), since a key in a file
    #: may be lost or replaced while letters are being sent.
    Column("seed", LargeBinary, nullable=False, server_default=""),
    #: Why it is halted; empty: it is not.
    Column("halted", Text, nullable=False, server_default=""),
    #: As in `mail.transport`; empty if unknown.
    Column("transport", Text, nullable=False, server_default=""),
    #: How many deliveries it has, and how many were sent: stored, since counting millions is slow.
    Column("recipients", Integer, nullable=False, server_default="0"),
    Column("sent", Integer, nullable=False, server_default="0"),
    #: When it was retracted, and the public reason.
    Column("retracted_at", DateTime),
    Column("retraction", Text, nullable=False, server_default=""),
    #: The id of the issue that it corrects; only recipients of that one get it.
    Column("corrects", Integer),
    #: True if it may be sent to all: the first batch was fine, or the operator has released it.
    Column("whole", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("newsletter", "slot"),
    UniqueConstraint("newsletter", "number"),
    CheckConstraint("state IN ('sending', 'sent')", name="state"),
)

#: Entries that a newsletter has announced. How: story, also (by title only), passed_over (not shown).
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

#: The content of an issue, separate from `issues`, which every run scans.
contents = Table(
    "contents",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    #: The public page, which stays as it was sent, and the entry in the newsletter's feed.
    Column("page", Text, nullable=False),
    Column("entry", Text, nullable=False),
    #: JSON: the content from which its letters are rendered.
    Column("content", LargeBinary),
)

#: An issue rendered for subscribers with the same preferences, and encoded for sending.
letters = Table(
    "letters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", ForeignKey("issues.id"), nullable=False, index=True),
    Column("lang", String(35), nullable=False),
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    #: JSON: encoded for sending, stored first, so that later recipients get the same message.
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
    #: `add`, or the name of an imported file.
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
    #: A sorted JSON list of categories; empty: all.
    Column("topics", Text, nullable=False, server_default="[]"),
)

#: Addresses that must not get mail again, even if erased: digests that need the key to be compared.
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
    #: None for `copy_to` addresses and erased subscribers.
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL"), index=True),
    Column("recipient", Text, nullable=False),
    Column("recipient_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    #: The `Date` of the message: set at the first attempt, then kept.
    Column("handed_over_at", DateTime),
    Column("sent_at", DateTime),
    #: The server's last answer.
    Column("answer", Text),
    #: How often the server said "later", and when to try again.
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime),
    #: The number of tries without an answer.
    Column("unknowns", Integer, nullable=False, server_default="0"),
    UniqueConstraint("issue_id", "recipient_key"),
    CheckConstraint(
        "state IN ('ready', 'leased', 'handing_over', 'sent', 'deferred', 'failed', 'cancelled', 'unknown')",
        name="state",
    ),
)
#: An index of the pending deliveries only, to find them among millions that are sent.
_OPEN = deliveries.c.state.not_in(["sent", "failed", "cancelled"])
Index("ix_deliveries_open", deliveries.c.issue_id, deliveries.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

#: Bounces of subscribers, and the decisions on them; deleted with the subscriber.
bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False, index=True),
    #: None if only the subscriber is known.
    Column("delivery_id", ForeignKey("deliveries.id")),
    Column("issue_id", ForeignKey("issues.id")),
    #: Of the address, as addresses are compared.
    Column("domain", Text, nullable=False),
    #: See `feeds.core.subscribers.bounces`. An empty decision: undecided.
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("decision", String(16), nullable=False, server_default=""),
    #: The server's answer.
    Column("said", Text, nullable=False),
    #: When we learned of it, which is also the time of the decision.
    Column("at", DateTime, nullable=False),
    #: Repeated reports count once.
    UniqueConstraint("delivery_id", "kind"),
)
Index("ix_bounces_domain", bounces.c.domain, bounces.c.issue_id)
_UNDECIDED = bounces.c.decision == ""
Index("ix_bounces_undecided", bounces.c.id, sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED)

#: Paused subscribers; a row is deleted when the pause ends.
pauses = Table(
    "pauses",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("until", DateTime, nullable=False),
)

#: Paused domains, likewise.
paused_domains = Table(
    "paused_domains",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("until", DateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

#: Domains whose deliveries of an issue wait, and domains that made them wait earlier.
delayed_domains = Table(
    "delayed_domains",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("domain", Text, primary_key=True),
    #: `limit` or `rejected`, see `model.ReplyAction`.
    Column("cause", String(16), nullable=False),
    Column("answer", Text, nullable=False),
    #: How often in a row a delivery was put off.
    Column("times", Integer, nullable=False),
    Column("until", DateTime),
)

#: What the mail servers accept, learned from their replies to the deliveries of an issue.
server_limits = Table(
    "server_limits",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    #: Host and port.
    Column("server", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    #: How often in a row it asked us to wait, and until when.
    Column("times", Integer, nullable=False),
    Column("until", DateTime),
    #: Messages; 0 if no limit is known.
    Column("per_connection", Integer, nullable=False),
    Column("per_minute", Float, nullable=False),
)

#: Unsubscribes from single newsletters, so that no import subscribes the person to them again.
leaves = Table(
    "leaves",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("newsletter", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
    #: The topics of the subscription, so that leaving can be undone.
    Column("topics", Text, nullable=False, server_default="[]"),
)

#: Each change of what subscribers get that they have made themselves, the newest 20 of each newsletter.
subscription_changes = Table(
    "subscription_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    #: `subscribed`, `topics` or `unsubscribed`.
    Column("what", String(16), nullable=False),
    #: Those of the subscription from then on.
    Column("topics", Text, nullable=False),
    #: See `model.ChangeSource`.
    Column("how", String(16), nullable=False),
    Column("wording", String(16), nullable=False),
    Column("client", String(32), nullable=False),
    Index("ix_subscription_changes_subscriber", "subscriber_id", "newsletter"),
)

#: Pauses that subscribers have chosen; a row is deleted when the pause ends.
chosen_pauses = Table(
    "chosen_pauses",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("until", DateTime, nullable=False),
)

#: The addresses that subscribers have asked to move to: the mailed link has the id only. Rows are deleted when the link
#: has expired.
address_changes = Table(
    "address_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", DateTime, nullable=False),
    #: None, both: it may get no mail, and the row only counts.
    Column("email", Text),
    #: As addresses are compared.
    Column("email_key", Text),
    #: When the new address has taken over; None: it has not.
    Column("confirmed_at", DateTime),
)

#: Which subscriber has everything of one who has moved to another address. A trigger (migration 0014) deletes the row
#: of who is active again.
moved_subscribers = Table(
    "moved_subscribers",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("successor_id", ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False, index=True),
)

#: Addresses for which somebody has asked for a link to the preferences; the next run answers those that are known. The
#: web does not look an address up, so that its answer does not depend on it.
link_requests = Table(
    "link_requests",
    metadata,
    Column("email_key", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Subscribers who want to be erased; it is done when nothing is being published or sent.
erasure_requests = Table(
    "erasure_requests",
    metadata,
    Column("email_key", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Ids of erased subscribers, which no one else gets: links in sent letters still name them.
erased_subscribers = Table("erased_subscribers", metadata, Column("id", Integer, primary_key=True))

#: Digests of processed messages of the bounce mailbox.
handled_messages = Table(
    "handled_messages",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Alerts that the operator has received.
alerts = Table(
    "alerts",
    metadata,
    Column("about", Text, primary_key=True),
    Column("at", DateTime, nullable=False),
)

#: Mail to one person outside of any issue: confirmations, reminders, welcomes, links that were asked for. Rows of mail
#: that was sent are kept for a while without their values, for bounces, complaints and limits.
service_mails = Table(
    "service_mails",
    metadata,
    Column("id", Integer, primary_key=True),
    #: See `model.ServiceMailKind`.
    Column("kind", String(16), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("recipient_key", Text, nullable=False, index=True),
    #: Its language; None: the site's.
    Column("lang", String(35)),
    #: JSON: what its template shows, such as a link; empty once it was sent, since a link is as good as a password.
    Column("template_values", Text, nullable=False),
    #: From which its Message-ID and its bounce address are made.
    Column("seed", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", DateTime, nullable=False),
    #: After this it is of no use, and is not sent.
    Column("expires_at", DateTime, nullable=False),
    #: As in `deliveries`.
    Column("handed_over_at", DateTime),
    Column("sent_at", DateTime),
    Column("answer", Text),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", DateTime),
    Column("unknowns", Integer, nullable=False, server_default="0"),
    #: When its recipient reported it as spam.
    Column("complained_at", DateTime),
    CheckConstraint("state IN ('ready', 'handing_over', 'sent', 'failed', 'cancelled', 'unknown')", name="state"),
)
_WAITING = service_mails.c.state.in_(["ready", "handing_over", "unknown"])
Index("ix_service_mails_waiting", service_mails.c.id, sqlite_where=_WAITING, postgresql_where=_WAITING)

#: Sign-ups as they were entered on the web, until the next run of the sign-up job decides about them: one for each
#: address. The web never reads this or any other table by an address, so no answer depends on it.
signup_requests = Table(
    "signup_requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    #: A sorted JSON list.
    Column("newsletters", Text, nullable=False),
    Column("lang", String(35), nullable=False),
    #: Keyed hashes of the client's address and of its network.
    Column("client", String(32), nullable=False),
    Column("network", String(32), nullable=False),
    #: The version of the words of consent (`consent_wordings`).
    Column("wording", String(16), nullable=False),
    #: JSON: signs of a program, from the form itself.
    Column("signals", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

#: How many requests each network has made since a time: within an hour, and without addresses.
signup_networks = Table(
    "signup_networks",
    metadata,
    Column("network", String(32), primary_key=True),
    Column("since", DateTime, nullable=False),
    Column("requests", Integer, nullable=False),
)

#: Sign-ups that wait for the editor or for the click, and, until they expire, those that were confirmed.
signups = Table(
    "signups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("newsletters", Text, nullable=False),
    Column("lang", String(35), nullable=False),
    Column("client", String(32), nullable=False),
    Column("network", String(32), nullable=False),
    Column("wording", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    #: Why it is held; empty: it is not.
    Column("held", Text, nullable=False),
    #: When the address was entered first; links in its mail are bound to it.
    Column("created_at", DateTime, nullable=False),
    #: When its last confirmation and its reminder were queued.
    Column("confirmation_at", DateTime),
    Column("reminded_at", DateTime),
    Column("confirmed_at", DateTime),
    CheckConstraint("state IN ('held', 'waiting', 'confirmed')", name="state"),
)

#: The words of consent that were shown on the sign-up page, for the record.
consent_wordings = Table(
    "consent_wordings",
    metadata,
    Column("version", String(16), primary_key=True),
    Column("lang", String(35), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

#: Pending journal records (assigned ids, sent issues, changes of subscribers) until they are in the journal file, see
#: `feeds.edges.store.journal_file`. Triggers insert them (migration 0006), so that none is forgotten.
journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    #: `id`, `issue`, a status, `left` or `returned` of a newsletter, a reason of the suppression list, or `allowed`.
    Column("what", String(16), nullable=False),
    #: An address as addresses are compared, a digest of the suppression list, the entry's id or the issue's number.
    Column("who", Text, nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)
