-- The tables of a new store. Made by `make schema` from the migrations and tests/edges/store/columns.toml.
-- Alerts that the operator has received.
CREATE TABLE alerts (
    about TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_alerts PRIMARY KEY (about)
);
-- Which entries are in which archive document of a feed; entries are only ever added.
CREATE TABLE archive_pages (
    kind VARCHAR(16) NOT NULL,
    "key" TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- How many entries it can have.
    size INTEGER NOT NULL,
    -- A JSON list of ids: a page is read and written as a whole, and there may be thousands of pages.
    entries TEXT NOT NULL,
    CONSTRAINT pk_archive_pages PRIMARY KEY (kind, "key", number)
);
-- The words of consent that were shown on the sign-up page, for the record.
CREATE TABLE consent_wordings (
    version VARCHAR(16) NOT NULL,
    lang VARCHAR(35) NOT NULL,
    text TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_consent_wordings PRIMARY KEY (version)
);
-- Every entry that was ever public: its id is never assigned again.
CREATE TABLE entries (
    id TEXT NOT NULL,
    path TEXT NOT NULL,
    text_digest VARCHAR(32) NOT NULL,
    first_public_at DATETIME NOT NULL,
    -- To find the entry again; None if an older version has stored it.
    title TEXT,
    -- ISO 8601, with offset.
    published VARCHAR(40),
    sketch BLOB,
    -- The id that its post has now, if it was given another one.
    replaced_by TEXT,
    -- See `model.AdoptedDate`: ISO 8601, with offset; None unless the id comes from another program's feed.
    own_updated VARCHAR(40),
    shown_updated VARCHAR(40),
    number INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_entries PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_entries_number ON entries (number);
-- Ids of erased subscribers, which no one else gets: links in sent letters still name them.
CREATE TABLE erased_subscribers (
    id INTEGER NOT NULL,
    CONSTRAINT pk_erased_subscribers PRIMARY KEY (id)
);
-- Subscribers who want to be erased; it is done when nothing is being published or sent.
CREATE TABLE erasure_requests (
    email_key TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_erasure_requests PRIMARY KEY (email_key)
);
-- Every feed that was ever published.
CREATE TABLE feeds (
    -- What the feed is of, and its name as names are compared.
    kind VARCHAR(16) NOT NULL,
    "key" TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Below `public/`. A slug never changes.
    folder TEXT NOT NULL,
    label TEXT NOT NULL,
    -- The last `updated` of the feed; it never decreases.
    updated DATETIME,
    -- Former folders: a JSON list.
    former TEXT NOT NULL,
    CONSTRAINT pk_feeds PRIMARY KEY (kind, "key"),
    CONSTRAINT uq_feeds_folder UNIQUE (folder)
);
-- Digests of processed messages of the bounce mailbox.
CREATE TABLE handled_messages (
    digest VARCHAR(64) NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_handled_messages PRIMARY KEY (digest)
);
CREATE TABLE issues (
    id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    number INTEGER NOT NULL,
    slot DATETIME NOT NULL,
    state VARCHAR(16) NOT NULL,
    subject TEXT NOT NULL,
    composed_at DATETIME NOT NULL,
    -- False while it waits for approval; then it has no deliveries yet.
    approved BOOLEAN DEFAULT '1' NOT NULL,
    -- A digest of the editor's note, so that no note is used twice; empty without a note.
    note VARCHAR(32) DEFAULT '' NOT NULL,
    -- From which the tokens of its deliveries are made (see `feeds.core.newsletters.tokens`), since a key in a file
    -- may be lost or replaced while letters are being sent.
    seed BLOB DEFAULT '' NOT NULL,
    -- Why it is halted; empty: it is not.
    halted TEXT DEFAULT '' NOT NULL,
    -- As in `mail.transport`; empty if unknown.
    transport TEXT DEFAULT '' NOT NULL,
    -- How many deliveries it has, and how many were sent: stored, since counting millions is slow.
    recipients INTEGER DEFAULT '0' NOT NULL,
    sent INTEGER DEFAULT '0' NOT NULL,
    -- When it was retracted, and the public reason.
    retracted_at DATETIME,
    retraction TEXT DEFAULT '' NOT NULL,
    -- The id of the issue that it corrects; only recipients of that one get it.
    corrects INTEGER,
    -- True if it may be sent to all: the first batch was fine, or the operator has released it.
    whole BOOLEAN DEFAULT '0' NOT NULL,
    CONSTRAINT ck_issues_state CHECK (state IN ('sending', 'sent')),
    CONSTRAINT pk_issues PRIMARY KEY (id),
    CONSTRAINT uq_issues_newsletter_number UNIQUE (newsletter, number),
    CONSTRAINT uq_issues_newsletter_slot UNIQUE (newsletter, slot)
);
-- Pending journal records (assigned ids, sent issues, changes of subscribers) until they are in the journal file, see
-- `feeds.edges.store.journal_file`. Repositories insert them in the transaction of the change
-- (`feeds.edges.store.journal_records`).
CREATE TABLE journal (
    id INTEGER NOT NULL,
    -- `id`, `issue`, a status, `left` or `returned` of a newsletter, a reason of the suppression list, or `allowed`.
    what VARCHAR(16) NOT NULL,
    -- An address as addresses are compared, a digest of the suppression list, the entry's id or the issue's number.
    who TEXT NOT NULL,
    newsletter TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_journal PRIMARY KEY (id)
);
-- Addresses for which somebody has asked for a link to the preferences; the next run answers those that are known.
-- The web does not look an address up, so that its answer does not depend on it.
CREATE TABLE link_requests (
    email_key TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_link_requests PRIMARY KEY (email_key)
);
-- Paused domains, likewise.
CREATE TABLE paused_domains (
    domain TEXT NOT NULL,
    until DATETIME NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_paused_domains PRIMARY KEY (domain)
);
-- Changed documents whose hub has not been notified yet.
CREATE TABLE pings (
    path TEXT NOT NULL,
    since DATETIME NOT NULL,
    tries INTEGER NOT NULL,
    next_at DATETIME NOT NULL,
    CONSTRAINT pk_pings PRIMARY KEY (path)
);
-- Feeds, or single documents of them, that were retired.
CREATE TABLE retired (
    -- Below `public/`; a folder ends with a slash.
    path TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_retired PRIMARY KEY (path)
);
-- Mail to one person outside of any issue: confirmations, reminders, welcomes, links that were asked for. Rows of
-- mail that was sent are kept for a while without their values, for bounces, complaints and limits.
CREATE TABLE service_mails (
    id INTEGER NOT NULL,
    -- See `model.ServiceMailKind`.
    kind VARCHAR(16) NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    -- Its language; None: the site's.
    lang VARCHAR(35),
    -- JSON: what its template shows, such as a link; empty once it was sent, since a link is as good as a password.
    template_values TEXT NOT NULL,
    -- From which its Message-ID and its bounce address are made.
    seed BLOB NOT NULL,
    state VARCHAR(16) NOT NULL,
    created_at DATETIME NOT NULL,
    -- After this it is of no use, and is not sent.
    expires_at DATETIME NOT NULL,
    -- As in `deliveries`.
    handed_over_at DATETIME,
    sent_at DATETIME,
    answer TEXT,
    tries INTEGER DEFAULT '0' NOT NULL,
    next_at DATETIME,
    unknowns INTEGER DEFAULT '0' NOT NULL,
    -- When its recipient reported it as spam.
    complained_at DATETIME,
    domain TEXT DEFAULT '' NOT NULL,
    CONSTRAINT ck_service_mails_state CHECK (state IN ('ready', 'handing_over', 'sent', 'failed', 'cancelled', 'unknown')),
    CONSTRAINT pk_service_mails PRIMARY KEY (id)
);
CREATE INDEX ix_service_mails_recipient_key ON service_mails (recipient_key);
CREATE INDEX ix_service_mails_waiting ON service_mails (id) WHERE state IN ('ready', 'handing_over', 'unknown');
-- How many requests each network has made since a time: within an hour, and without addresses.
CREATE TABLE signup_networks (
    network VARCHAR(32) NOT NULL,
    since DATETIME NOT NULL,
    requests INTEGER NOT NULL,
    CONSTRAINT pk_signup_networks PRIMARY KEY (network)
);
-- Sign-ups as they were entered on the web, until the next run of the sign-up job decides about them: one for each
-- address. The web never reads this or any other table by an address, so no answer depends on it.
CREATE TABLE signup_requests (
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    -- A sorted JSON list.
    newsletters TEXT NOT NULL,
    lang VARCHAR(35) NOT NULL,
    -- Keyed hashes of the client's address and of its network.
    client VARCHAR(32) NOT NULL,
    network VARCHAR(32) NOT NULL,
    -- The version of the words of consent (`consent_wordings`).
    wording VARCHAR(16) NOT NULL,
    -- JSON: signs of a program, from the form itself.
    signals TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_signup_requests PRIMARY KEY (id),
    CONSTRAINT uq_signup_requests_email_key UNIQUE (email_key)
);
-- Sign-ups that wait for the editor or for the click, and, until they expire, those that were confirmed.
CREATE TABLE signups (
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    newsletters TEXT NOT NULL,
    lang VARCHAR(35) NOT NULL,
    client VARCHAR(32) NOT NULL,
    network VARCHAR(32) NOT NULL,
    wording VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    -- Why it is held; empty: it is not.
    held TEXT NOT NULL,
    -- When the address was entered first; links in its mail are bound to it.
    created_at DATETIME NOT NULL,
    -- When its last confirmation and its reminder were queued.
    confirmation_at DATETIME,
    reminded_at DATETIME,
    confirmed_at DATETIME,
    CONSTRAINT ck_signups_state CHECK (state IN ('held', 'waiting', 'confirmed')),
    CONSTRAINT pk_signups PRIMARY KEY (id),
    CONSTRAINT uq_signups_email_key UNIQUE (email_key)
);
-- The site that the store is of, one row; none in a store in the site's own folder.
CREATE TABLE sites (
    -- As in the ids of its entries.
    id_authority TEXT NOT NULL,
    url TEXT NOT NULL,
    CONSTRAINT pk_sites PRIMARY KEY (id_authority)
);
CREATE TABLE subscribers (
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    -- As addresses are compared.
    email_key TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    lang VARCHAR(35),
    consent TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    status_at DATETIME NOT NULL,
    -- A name of the IANA database.
    timezone VARCHAR(64),
    -- `add`, or the name of an imported file.
    source TEXT DEFAULT '' NOT NULL,
    domain TEXT DEFAULT '' NOT NULL,
    CONSTRAINT ck_subscribers_status CHECK (status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')),
    CONSTRAINT pk_subscribers PRIMARY KEY (id),
    CONSTRAINT uq_subscribers_email_key UNIQUE (email_key)
);
-- Addresses that must not get mail again, even if erased: digests that need the key to be compared.
CREATE TABLE suppressions (
    digest VARCHAR(64) NOT NULL,
    reason VARCHAR(16) NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_suppressions PRIMARY KEY (digest)
);
-- Since when files may have changed without a run of `publish.after`; one row, or none.
CREATE TABLE undeployed (
    since DATETIME NOT NULL,
    CONSTRAINT pk_undeployed PRIMARY KEY (since)
);
-- The addresses that subscribers have asked to move to: the mailed link has the id only. Rows are deleted when the
-- link has expired.
CREATE TABLE address_changes (
    id INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    at DATETIME NOT NULL,
    -- None, both: it may get no mail, and the row only counts.
    email TEXT,
    -- As addresses are compared.
    email_key TEXT,
    -- When the new address has taken over; None: it has not.
    confirmed_at DATETIME,
    CONSTRAINT fk_address_changes_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_address_changes PRIMARY KEY (id)
);
CREATE INDEX ix_address_changes_subscriber_id ON address_changes (subscriber_id);
-- Entries that a newsletter has announced. How: story, also (by title only), passed_over (not shown).
CREATE TABLE announced (
    newsletter TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    issue_id INTEGER NOT NULL,
    how VARCHAR(16) NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT ck_announced_how CHECK (how IN ('story', 'also', 'passed_over')),
    CONSTRAINT fk_announced_entry_id FOREIGN KEY(entry_id) REFERENCES entries (id),
    CONSTRAINT fk_announced_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT pk_announced PRIMARY KEY (newsletter, entry_id)
);
CREATE INDEX ix_announced_issue_id ON announced (issue_id);
-- Pauses that subscribers have chosen; a row is deleted when the pause ends.
CREATE TABLE chosen_pauses (
    subscriber_id INTEGER NOT NULL,
    until DATETIME NOT NULL,
    CONSTRAINT fk_chosen_pauses_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_chosen_pauses PRIMARY KEY (subscriber_id)
);
-- The content of an issue, separate from `issues`, which every run scans.
CREATE TABLE contents (
    issue_id INTEGER NOT NULL,
    -- The public page, which stays as it was sent, and the entry in the newsletter's feed.
    page TEXT NOT NULL,
    entry TEXT NOT NULL,
    -- JSON: the content from which its letters are rendered.
    content BLOB,
    CONSTRAINT fk_contents_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT pk_contents PRIMARY KEY (issue_id)
);
-- Domains whose deliveries of an issue wait, and domains that made them wait earlier.
CREATE TABLE delayed_domains (
    issue_id INTEGER NOT NULL,
    domain TEXT NOT NULL,
    -- `limit` or `rejected`, see `model.ReplyAction`.
    cause VARCHAR(16) NOT NULL,
    answer TEXT NOT NULL,
    -- How often in a row a delivery was put off.
    times INTEGER NOT NULL,
    until DATETIME,
    CONSTRAINT fk_delayed_domains_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT pk_delayed_domains PRIMARY KEY (issue_id, domain)
);
-- Earlier versions of an entry, before it got another path, title or text.
CREATE TABLE entry_history (
    id INTEGER NOT NULL,
    entry_id TEXT NOT NULL,
    until DATETIME NOT NULL,
    path TEXT NOT NULL,
    text_digest VARCHAR(32) NOT NULL,
    title TEXT,
    CONSTRAINT fk_entry_history_entry_id FOREIGN KEY(entry_id) REFERENCES entries (id),
    CONSTRAINT pk_entry_history PRIMARY KEY (id)
);
CREATE INDEX ix_entry_history_entry_id ON entry_history (entry_id);
-- Unsubscribes from single newsletters, so that no import subscribes the person to them again.
CREATE TABLE leaves (
    subscriber_id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    at DATETIME NOT NULL,
    -- The topics of the subscription, so that leaving can be undone.
    topics TEXT DEFAULT '[]' NOT NULL,
    CONSTRAINT fk_leaves_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_leaves PRIMARY KEY (subscriber_id, newsletter)
);
-- An issue rendered for subscribers with the same preferences, and encoded for sending.
CREATE TABLE letters (
    id INTEGER NOT NULL,
    issue_id INTEGER NOT NULL,
    lang VARCHAR(35) NOT NULL,
    subject TEXT NOT NULL,
    html TEXT NOT NULL,
    text TEXT NOT NULL,
    -- JSON: encoded for sending, stored first, so that later recipients get the same message.
    encoded BLOB,
    CONSTRAINT fk_letters_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT pk_letters PRIMARY KEY (id)
);
CREATE INDEX ix_letters_issue_id ON letters (issue_id);
-- Which subscriber has everything of one who has moved to another address. The row of who is active again is deleted.
CREATE TABLE moved_subscribers (
    subscriber_id INTEGER NOT NULL,
    successor_id INTEGER NOT NULL,
    CONSTRAINT fk_moved_subscribers_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT fk_moved_subscribers_successor_id FOREIGN KEY(successor_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_moved_subscribers PRIMARY KEY (subscriber_id)
);
CREATE INDEX ix_moved_subscribers_successor_id ON moved_subscribers (successor_id);
-- Paused subscribers; a row is deleted when the pause ends.
CREATE TABLE pauses (
    subscriber_id INTEGER NOT NULL,
    until DATETIME NOT NULL,
    CONSTRAINT fk_pauses_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_pauses PRIMARY KEY (subscriber_id)
);
-- What the mail servers accept, learned from their replies to the deliveries of an issue.
CREATE TABLE server_limits (
    issue_id INTEGER NOT NULL,
    -- Host and port.
    server TEXT NOT NULL,
    answer TEXT NOT NULL,
    -- How often in a row it asked us to wait, and until when.
    times INTEGER NOT NULL,
    until DATETIME,
    -- Messages; 0 if no limit is known.
    per_connection INTEGER NOT NULL,
    per_minute FLOAT NOT NULL,
    CONSTRAINT fk_server_limits_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT pk_server_limits PRIMARY KEY (issue_id, server)
);
-- Each change of what subscribers get that they have made themselves, the newest 20 of each newsletter.
CREATE TABLE subscription_changes (
    id INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    at DATETIME NOT NULL,
    -- `subscribed`, `topics` or `unsubscribed`.
    what VARCHAR(16) NOT NULL,
    -- Those of the subscription from then on.
    topics TEXT NOT NULL,
    -- See `model.ChangeSource`.
    how VARCHAR(16) NOT NULL,
    wording VARCHAR(16) NOT NULL,
    client VARCHAR(32) NOT NULL,
    CONSTRAINT fk_subscription_changes_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_subscription_changes PRIMARY KEY (id)
);
CREATE INDEX ix_subscription_changes_subscriber ON subscription_changes (subscriber_id, newsletter);
CREATE TABLE subscriptions (
    subscriber_id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    -- A sorted JSON list of categories; empty: all.
    topics TEXT DEFAULT '[]' NOT NULL,
    CONSTRAINT fk_subscriptions_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_subscriptions PRIMARY KEY (subscriber_id, newsletter)
);
CREATE INDEX ix_subscriptions_newsletter ON subscriptions (newsletter);
CREATE TABLE deliveries (
    id INTEGER NOT NULL,
    issue_id INTEGER NOT NULL,
    letter_id INTEGER NOT NULL,
    -- None for `copy_to` addresses and erased subscribers.
    subscriber_id INTEGER,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    -- The `Date` of the message: set at the first attempt, then kept.
    handed_over_at DATETIME,
    sent_at DATETIME,
    -- The server's last answer.
    answer TEXT,
    -- How often the server said "later", and when to try again.
    tries INTEGER DEFAULT '0' NOT NULL,
    next_at DATETIME,
    -- The number of tries without an answer.
    unknowns INTEGER DEFAULT '0' NOT NULL,
    domain TEXT DEFAULT '' NOT NULL,
    CONSTRAINT ck_deliveries_state CHECK (state IN ('ready', 'leased', 'handing_over', 'sent', 'deferred', 'failed', 'cancelled', 'unknown')),
    CONSTRAINT fk_deliveries_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT fk_deliveries_letter_id FOREIGN KEY(letter_id) REFERENCES letters (id),
    CONSTRAINT fk_deliveries_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE SET NULL,
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_deliveries_issue_id_recipient_key UNIQUE (issue_id, recipient_key)
);
CREATE INDEX ix_deliveries_failed ON deliveries (issue_id, id) WHERE state = 'failed';
CREATE INDEX ix_deliveries_open ON deliveries (issue_id, id) WHERE (state NOT IN ('sent', 'failed', 'cancelled'));
CREATE INDEX ix_deliveries_subscriber_id ON deliveries (subscriber_id);
-- Bounces of subscribers, and the decisions on them; deleted with the subscriber.
CREATE TABLE bounces (
    id INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    -- None if only the subscriber is known.
    delivery_id INTEGER,
    issue_id INTEGER,
    -- Of the address, as addresses are compared.
    domain TEXT NOT NULL,
    -- See `feeds.core.subscribers.bounces`. An empty decision: undecided.
    kind VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    decision VARCHAR(16) DEFAULT '' NOT NULL,
    -- The server's answer.
    said TEXT NOT NULL,
    -- When we learned of it, which is also the time of the decision.
    at DATETIME NOT NULL,
    CONSTRAINT fk_bounces_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id),
    CONSTRAINT fk_bounces_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT fk_bounces_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT pk_bounces PRIMARY KEY (id),
    CONSTRAINT uq_bounces_delivery_id_kind UNIQUE (delivery_id, kind)
);
CREATE INDEX ix_bounces_domain ON bounces (domain, issue_id);
CREATE INDEX ix_bounces_subscriber_id ON bounces (subscriber_id);
CREATE INDEX ix_bounces_undecided ON bounces (id) WHERE decision = '';
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0016');
