-- name: replay.latest_time
-- Return the latest time in the store.
SELECT max(at) FROM (
    SELECT max(first_public_at) AS at FROM entries UNION SELECT max(composed_at) FROM issues
    UNION SELECT max(status_at) FROM subscribers UNION SELECT max(sent_at) FROM deliveries
    UNION SELECT max(at) FROM suppressions UNION SELECT max(at) FROM leaves
);

-- name: replay.find_issue
-- Return an issue's id and state.
SELECT id, state FROM issues WHERE newsletter = :newsletter AND number = :number;

-- name: replay.unapproved
-- Return the issues with a number or slot that wait for approval.
SELECT id FROM issues WHERE newsletter = :newsletter AND NOT approved AND (number = :number OR slot = :slot);

-- name: replay.has_slot
-- Return 1 if an issue has a slot.
SELECT 1 FROM issues WHERE newsletter = :newsletter AND slot = :slot;

-- name: replay.add_issue
-- Store an issue as sent; return its id.
INSERT INTO issues
    (newsletter, number, slot, state, subject, composed_at, approved, note, transport, recipients, sent)
VALUES (:newsletter, :number, :slot, 'sent', :subject, :at, true, :note, :transport, :recipients, :sent)
RETURNING id;

-- name: replay.add_content
-- Store the page of an issue, and its entry in the newsletter's feed.
INSERT INTO contents (issue_id, page, entry) VALUES (:issue, :page, :entry);

-- name: replay.announce
-- Announce an entry, if it is known (its journal line may be damaged).
INSERT INTO announced (newsletter, entry_id, issue_id, how, position)
SELECT :newsletter, id, :issue, :how, :position FROM entries WHERE id = :entry
ON CONFLICT (newsletter, entry_id) DO NOTHING;

-- name: replay.finish_issue
-- Store that an issue was sent.
UPDATE issues SET state = 'sent', halted = '', recipients = :recipients, sent = :sent WHERE id = :id;

-- name: replay.retract
-- Store that an issue was retracted.
UPDATE issues SET retracted_at = :at, retraction = :reason WHERE id = :id;

-- name: replay.set_corrects
-- Store which issue another one corrects.
UPDATE issues SET corrects = (SELECT o.id FROM issues o WHERE o.newsletter = :newsletter AND o.number = :number)
WHERE id = :id;

-- name: replay.set_unknown
-- Store that nothing is known about what is open of an issue.
UPDATE deliveries SET state = 'unknown', next_at = NULL,
    answer = 'the store was restored from a backup that does not have the result'
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled');

-- name: replay.halt_issues
-- Halt the issues that have open deliveries; return their newsletters and numbers.
UPDATE issues SET halted = :reason WHERE state = 'sending' AND approved AND EXISTS
    (SELECT 1 FROM deliveries d WHERE d.issue_id = issues.id AND d.state NOT IN ('sent', 'failed', 'cancelled'))
RETURNING newsletter, number;

-- name: replay.cancel_service_mails
-- Cancel the mail outside of issues that waits.
UPDATE service_mails SET state = 'cancelled', answer = 'cancelled: restored from a backup', template_values = '{}'
WHERE state IN ('ready', 'handing_over', 'unknown');

-- name: replay.delete_signup_requests
-- Forget the sign-ups that nothing was decided about.
DELETE FROM signup_requests;

-- name: replay.delete_link_requests
-- Forget the requests for links.
DELETE FROM link_requests;

-- name: replay.end_reminders
-- Store that no sign-up is to be reminded of.
UPDATE signups SET reminded_at = coalesce(reminded_at, confirmation_at);

-- name: replay.signup_keys
-- Return the addresses that have signed up.
SELECT email_key FROM signups;

-- name: replay.subscribers
-- Return all subscribers.
SELECT id, email, email_key, status, created_at FROM subscribers ORDER BY id;

-- name: replay.other_addresses
-- Return the addresses of deliveries, sign-ups and single mails.
SELECT recipient_key FROM deliveries WHERE recipient_key NOT LIKE '%@erased'
UNION SELECT recipient_key FROM service_mails
UNION SELECT email_key FROM signups UNION SELECT email_key FROM signup_requests
UNION SELECT email_key FROM link_requests;

-- name: replay.set_status
-- Set the status of a subscriber.
UPDATE subscribers SET status = :status, status_at = :at WHERE id = :id;

-- name: replay.has_left
-- Return 1 if a subscriber has left a newsletter.
SELECT 1 FROM leaves WHERE subscriber_id = :id AND newsletter = :newsletter;

-- name: replay.delete_leave
-- Forget that a subscriber has left a newsletter.
DELETE FROM leaves WHERE subscriber_id = :id AND newsletter = :newsletter;

-- name: replay.subscribe
-- Subscribe a subscriber to a newsletter with all topics.
INSERT INTO subscriptions (subscriber_id, newsletter) VALUES (:id, :newsletter)
ON CONFLICT (subscriber_id, newsletter) DO NOTHING;

-- name: replay.suppress
-- Add a digest to the suppression list, or give it another reason.
INSERT INTO suppressions (digest, reason, at) VALUES (:digest, :reason, :at)
ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, at = excluded.at WHERE reason != excluded.reason;

-- name: replay.allow
-- Remove a digest from the suppression list.
DELETE FROM suppressions WHERE digest = :digest;
