-- The tables of the store after the last migration, for a new SQLite file: importing SQLAlchemy and Alembic to create
-- them takes longer than publishing. After a change of schema.py a test prints the new content of this file.
CREATE TABLE archive_pages (
    kind VARCHAR(16) NOT NULL,
    "key" TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    entries TEXT NOT NULL,
    CONSTRAINT pk_archive_pages PRIMARY KEY (kind, "key", number)
);
CREATE TABLE entries (
    id TEXT NOT NULL,
    path TEXT NOT NULL,
    text_digest VARCHAR(32) NOT NULL,
    first_public_at DATETIME NOT NULL,
    title TEXT,
    published VARCHAR(40),
    sketch BLOB,
    replaced_by TEXT,
    own_updated VARCHAR(40),
    shown_updated VARCHAR(40),
    CONSTRAINT pk_entries PRIMARY KEY (id)
);
CREATE TABLE feeds (
    kind VARCHAR(16) NOT NULL,
    "key" TEXT NOT NULL,
    id TEXT NOT NULL,
    folder TEXT NOT NULL,
    label TEXT NOT NULL,
    updated DATETIME,
    former TEXT NOT NULL,
    CONSTRAINT pk_feeds PRIMARY KEY (kind, "key"),
    CONSTRAINT uq_feeds_folder UNIQUE (folder)
);
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
    approved BOOLEAN DEFAULT '1' NOT NULL,
    note VARCHAR(32) DEFAULT '' NOT NULL,
    seed BLOB DEFAULT '' NOT NULL,
    halted TEXT DEFAULT '' NOT NULL,
    transport TEXT DEFAULT '' NOT NULL,
    recipients INTEGER DEFAULT '0' NOT NULL,
    sent INTEGER DEFAULT '0' NOT NULL,
    retracted_at DATETIME,
    retraction TEXT DEFAULT '' NOT NULL,
    corrects INTEGER,
    whole BOOLEAN DEFAULT '0' NOT NULL,
    CONSTRAINT pk_issues PRIMARY KEY (id),
    CONSTRAINT uq_issues_newsletter_slot UNIQUE (newsletter, slot),
    CONSTRAINT uq_issues_newsletter_number UNIQUE (newsletter, number),
    CONSTRAINT ck_issues_state CHECK (state IN ('sending', 'sent'))
);
CREATE TABLE paused_domains (
    domain TEXT NOT NULL,
    until DATETIME NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_paused_domains PRIMARY KEY (domain)
);
CREATE TABLE pings (
    path TEXT NOT NULL,
    since DATETIME NOT NULL,
    tries INTEGER NOT NULL,
    next_at DATETIME NOT NULL,
    CONSTRAINT pk_pings PRIMARY KEY (path)
);
CREATE TABLE retired (
    path TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_retired PRIMARY KEY (path)
);
CREATE TABLE subscribers (
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    lang VARCHAR(35),
    consent TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    status_at DATETIME NOT NULL,
    timezone VARCHAR(64),
    source TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_subscribers PRIMARY KEY (id),
    CONSTRAINT ck_subscribers_status CHECK (status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')),
    CONSTRAINT uq_subscribers_email_key UNIQUE (email_key)
);
CREATE TABLE suppressions (
    digest VARCHAR(64) NOT NULL,
    reason VARCHAR(16) NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_suppressions PRIMARY KEY (digest)
);
CREATE TABLE undeployed (
    since DATETIME NOT NULL,
    CONSTRAINT pk_undeployed PRIMARY KEY (since)
);
CREATE TABLE announced (
    newsletter TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    issue_id INTEGER NOT NULL,
    how VARCHAR(16) NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT pk_announced PRIMARY KEY (newsletter, entry_id),
    CONSTRAINT ck_announced_how CHECK (how IN ('story', 'also', 'passed_over')),
    CONSTRAINT fk_announced_entry_id FOREIGN KEY(entry_id) REFERENCES entries (id),
    CONSTRAINT fk_announced_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id)
);
CREATE INDEX ix_announced_issue_id ON announced (issue_id);
CREATE TABLE contents (
    issue_id INTEGER NOT NULL,
    page TEXT NOT NULL,
    entry TEXT NOT NULL,
    content BLOB,
    CONSTRAINT pk_contents PRIMARY KEY (issue_id),
    CONSTRAINT fk_contents_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id)
);
CREATE TABLE delayed_domains (
    issue_id INTEGER NOT NULL,
    domain TEXT NOT NULL,
    cause VARCHAR(16) NOT NULL,
    answer TEXT NOT NULL,
    times INTEGER NOT NULL,
    until DATETIME,
    CONSTRAINT pk_delayed_domains PRIMARY KEY (issue_id, domain),
    CONSTRAINT fk_delayed_domains_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id)
);
CREATE TABLE entry_history (
    id INTEGER NOT NULL,
    entry_id TEXT NOT NULL,
    until DATETIME NOT NULL,
    path TEXT NOT NULL,
    text_digest VARCHAR(32) NOT NULL,
    title TEXT,
    CONSTRAINT pk_entry_history PRIMARY KEY (id),
    CONSTRAINT fk_entry_history_entry_id FOREIGN KEY(entry_id) REFERENCES entries (id)
);
CREATE INDEX ix_entry_history_entry_id ON entry_history (entry_id);
CREATE TABLE leaves (
    subscriber_id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    at DATETIME NOT NULL,
    topics TEXT DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_leaves PRIMARY KEY (subscriber_id, newsletter),
    CONSTRAINT fk_leaves_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE TABLE chosen_pauses (
    subscriber_id INTEGER NOT NULL,
    until DATETIME NOT NULL,
    CONSTRAINT pk_chosen_pauses PRIMARY KEY (subscriber_id),
    CONSTRAINT fk_chosen_pauses_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE TABLE address_changes (
    id INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    at DATETIME NOT NULL,
    email TEXT,
    email_key TEXT,
    confirmed_at DATETIME,
    CONSTRAINT pk_address_changes PRIMARY KEY (id),
    CONSTRAINT fk_address_changes_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE INDEX ix_address_changes_subscriber_id ON address_changes (subscriber_id);
CREATE TABLE moved_subscribers (
    subscriber_id INTEGER NOT NULL,
    successor_id INTEGER NOT NULL,
    CONSTRAINT pk_moved_subscribers PRIMARY KEY (subscriber_id),
    CONSTRAINT fk_moved_subscribers_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT fk_moved_subscribers_successor_id FOREIGN KEY(successor_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE INDEX ix_moved_subscribers_successor_id ON moved_subscribers (successor_id);
CREATE TABLE link_requests (
    email_key TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_link_requests PRIMARY KEY (email_key)
);
CREATE TABLE erasure_requests (
    email_key TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_erasure_requests PRIMARY KEY (email_key)
);
CREATE TABLE erased_subscribers (
    id INTEGER NOT NULL,
    CONSTRAINT pk_erased_subscribers PRIMARY KEY (id)
);
CREATE TABLE letters (
    id INTEGER NOT NULL,
    issue_id INTEGER NOT NULL,
    lang VARCHAR(35) NOT NULL,
    subject TEXT NOT NULL,
    html TEXT NOT NULL,
    text TEXT NOT NULL,
    encoded BLOB,
    CONSTRAINT pk_letters PRIMARY KEY (id),
    CONSTRAINT fk_letters_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id)
);
CREATE INDEX ix_letters_issue_id ON letters (issue_id);
CREATE TABLE pauses (
    subscriber_id INTEGER NOT NULL,
    until DATETIME NOT NULL,
    CONSTRAINT pk_pauses PRIMARY KEY (subscriber_id),
    CONSTRAINT fk_pauses_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE TABLE server_limits (
    issue_id INTEGER NOT NULL,
    server TEXT NOT NULL,
    answer TEXT NOT NULL,
    times INTEGER NOT NULL,
    until DATETIME,
    per_connection INTEGER NOT NULL,
    per_minute FLOAT NOT NULL,
    CONSTRAINT pk_server_limits PRIMARY KEY (issue_id, server),
    CONSTRAINT fk_server_limits_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id)
);
CREATE TABLE subscription_changes (
    id INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    at DATETIME NOT NULL,
    what VARCHAR(16) NOT NULL,
    topics TEXT NOT NULL,
    how VARCHAR(16) NOT NULL,
    wording VARCHAR(16) NOT NULL,
    client VARCHAR(32) NOT NULL,
    CONSTRAINT pk_subscription_changes PRIMARY KEY (id),
    CONSTRAINT fk_subscription_changes_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE INDEX ix_subscription_changes_subscriber ON subscription_changes (subscriber_id, newsletter);
CREATE TABLE subscriptions (
    subscriber_id INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    topics TEXT DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_subscriptions PRIMARY KEY (subscriber_id, newsletter),
    CONSTRAINT fk_subscriptions_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE INDEX ix_subscriptions_newsletter ON subscriptions (newsletter);
CREATE TABLE deliveries (
    id INTEGER NOT NULL,
    issue_id INTEGER NOT NULL,
    letter_id INTEGER NOT NULL,
    subscriber_id INTEGER,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    handed_over_at DATETIME,
    sent_at DATETIME,
    answer TEXT,
    tries INTEGER DEFAULT '0' NOT NULL,
    next_at DATETIME,
    unknowns INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_deliveries_issue_id_recipient_key UNIQUE (issue_id, recipient_key),
    CONSTRAINT ck_deliveries_state CHECK (state IN ('ready', 'leased', 'handing_over', 'sent', 'deferred', 'failed', 'cancelled', 'unknown')),
    CONSTRAINT fk_deliveries_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id),
    CONSTRAINT fk_deliveries_letter_id FOREIGN KEY(letter_id) REFERENCES letters (id),
    CONSTRAINT fk_deliveries_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE SET NULL
);
CREATE INDEX ix_deliveries_open ON deliveries (issue_id, id) WHERE (state NOT IN ('sent', 'failed', 'cancelled'));
CREATE INDEX ix_deliveries_subscriber_id ON deliveries (subscriber_id);
CREATE TABLE bounces (
    id INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL,
    delivery_id INTEGER,
    issue_id INTEGER,
    domain TEXT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    decision VARCHAR(16) DEFAULT '' NOT NULL,
    said TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_bounces PRIMARY KEY (id),
    CONSTRAINT uq_bounces_delivery_id_kind UNIQUE (delivery_id, kind),
    CONSTRAINT fk_bounces_subscriber_id FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE,
    CONSTRAINT fk_bounces_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id),
    CONSTRAINT fk_bounces_issue_id FOREIGN KEY(issue_id) REFERENCES issues (id)
);
CREATE INDEX ix_bounces_domain ON bounces (domain, issue_id);
CREATE INDEX ix_bounces_subscriber_id ON bounces (subscriber_id);
CREATE INDEX ix_bounces_undecided ON bounces (id) WHERE decision = '';
CREATE TABLE alerts (
    about TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_alerts PRIMARY KEY (about)
);
CREATE TABLE service_mails (
    id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    lang VARCHAR(35),
    template_values TEXT NOT NULL,
    seed BLOB NOT NULL,
    state VARCHAR(16) NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    handed_over_at DATETIME,
    sent_at DATETIME,
    answer TEXT,
    tries INTEGER DEFAULT '0' NOT NULL,
    next_at DATETIME,
    unknowns INTEGER DEFAULT '0' NOT NULL,
    complained_at DATETIME,
    CONSTRAINT pk_service_mails PRIMARY KEY (id),
    CONSTRAINT ck_service_mails_state CHECK (state IN ('ready', 'handing_over', 'sent', 'failed', 'cancelled', 'unknown'))
);
CREATE INDEX ix_service_mails_recipient_key ON service_mails (recipient_key);
CREATE INDEX ix_service_mails_waiting ON service_mails (id) WHERE state IN ('ready', 'handing_over', 'unknown');
CREATE TABLE signup_requests (
    id INTEGER NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    newsletters TEXT NOT NULL,
    lang VARCHAR(35) NOT NULL,
    client VARCHAR(32) NOT NULL,
    network VARCHAR(32) NOT NULL,
    wording VARCHAR(16) NOT NULL,
    signals TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_signup_requests PRIMARY KEY (id),
    CONSTRAINT uq_signup_requests_email_key UNIQUE (email_key)
);
CREATE TABLE signup_networks (
    network VARCHAR(32) NOT NULL,
    since DATETIME NOT NULL,
    requests INTEGER NOT NULL,
    CONSTRAINT pk_signup_networks PRIMARY KEY (network)
);
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
    held TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    confirmation_at DATETIME,
    reminded_at DATETIME,
    confirmed_at DATETIME,
    CONSTRAINT pk_signups PRIMARY KEY (id),
    CONSTRAINT ck_signups_state CHECK (state IN ('held', 'waiting', 'confirmed')),
    CONSTRAINT uq_signups_email_key UNIQUE (email_key)
);
CREATE TABLE consent_wordings (
    version VARCHAR(16) NOT NULL,
    lang VARCHAR(35) NOT NULL,
    text TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_consent_wordings PRIMARY KEY (version)
);
CREATE TABLE journal (
    id INTEGER NOT NULL,
    what VARCHAR(16) NOT NULL,
    who TEXT NOT NULL,
    newsletter TEXT NOT NULL,
    at DATETIME NOT NULL,
    CONSTRAINT pk_journal PRIMARY KEY (id)
);
CREATE TRIGGER journal_given AFTER INSERT ON entries BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('id', NEW.id, '', NEW.first_public_at); END;
CREATE TRIGGER journal_issue AFTER INSERT ON issues WHEN NEW.approved BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('issue', NEW.number, NEW.newsletter, NEW.composed_at); END;
CREATE TRIGGER journal_approved AFTER UPDATE OF approved ON issues WHEN NEW.approved AND NOT OLD.approved BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('issue', NEW.number, NEW.newsletter, strftime('%Y-%m-%d %H:%M:%f000', 'now')); END;
CREATE TRIGGER journal_told AFTER INSERT ON announced WHEN NOT EXISTS (SELECT 1 FROM journal j JOIN issues i ON i.id = NEW.issue_id WHERE j.id = (SELECT max(id) FROM journal) AND j.what = 'issue' AND j.newsletter = i.newsletter AND j.who = i.number) BEGIN INSERT INTO journal (what, who, newsletter, at) SELECT 'issue', number, newsletter, strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM issues WHERE id = NEW.issue_id AND approved; END;
CREATE TRIGGER journal_arrived AFTER UPDATE OF state ON issues WHEN NEW.state != OLD.state AND NEW.approved BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('issue', NEW.number, NEW.newsletter, strftime('%Y-%m-%d %H:%M:%f000', 'now')); END;
CREATE TRIGGER journal_retracted AFTER UPDATE OF retracted_at, retraction ON issues WHEN NEW.approved BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('issue', NEW.number, NEW.newsletter, strftime('%Y-%m-%d %H:%M:%f000', 'now')); END;
CREATE TRIGGER journal_came AFTER INSERT ON subscribers WHEN NEW.status IN ('unsubscribed', 'bounced', 'complained') BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES (NEW.status, NEW.email_key, '', NEW.status_at); END;
CREATE TRIGGER journal_status AFTER UPDATE OF status ON subscribers WHEN NEW.status != OLD.status BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES (NEW.status, NEW.email_key, '', NEW.status_at); END;
CREATE TRIGGER journal_left AFTER INSERT ON leaves BEGIN INSERT INTO journal (what, who, newsletter, at) SELECT 'left', email_key, NEW.newsletter, NEW.at FROM subscribers WHERE id = NEW.subscriber_id; END;
CREATE TRIGGER journal_returned AFTER DELETE ON leaves BEGIN INSERT INTO journal (what, who, newsletter, at) SELECT 'returned', email_key, OLD.newsletter, strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM subscribers WHERE id = OLD.subscriber_id; END;
CREATE TRIGGER journal_suppressed AFTER INSERT ON suppressions BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES (NEW.reason, NEW.digest, '', NEW.at); END;
CREATE TRIGGER journal_erased AFTER UPDATE OF reason ON suppressions WHEN NEW.reason != OLD.reason BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES (NEW.reason, NEW.digest, '', NEW.at); END;
CREATE TRIGGER journal_allowed AFTER DELETE ON suppressions BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('allowed', OLD.digest, '', strftime('%Y-%m-%d %H:%M:%f000', 'now')); END;
CREATE TRIGGER journal_replaced AFTER UPDATE OF replaced_by ON entries WHEN NEW.replaced_by IS NOT OLD.replaced_by BEGIN INSERT INTO journal (what, who, newsletter, at) VALUES ('id', NEW.id, '', NEW.first_public_at); END;
CREATE TRIGGER moved_subscriber_returned AFTER UPDATE OF status ON subscribers WHEN NEW.status = 'active' AND OLD.status != 'active' BEGIN DELETE FROM moved_subscribers WHERE subscriber_id = NEW.id; END;
