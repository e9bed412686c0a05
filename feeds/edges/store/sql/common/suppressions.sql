-- name: suppressions.find
-- Return why a digest is on the list, and since when.
SELECT reason, at FROM suppressions WHERE digest = :digest;

-- name: suppressions.add
-- Put a digest on the list, unless it is there.
INSERT INTO suppressions (digest, reason, at) VALUES (:digest, 'suppressed', :at) ON CONFLICT (digest) DO NOTHING;

-- name: suppressions.add_erased
-- Put the digest of an erased address on the list; one that is on it already gets the new reason.
INSERT INTO suppressions (digest, reason, at) VALUES (:digest, 'erased', :at)
ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, at = excluded.at
    WHERE suppressions.reason != excluded.reason;

-- name: suppressions.delete
-- Remove a digest from the list.
DELETE FROM suppressions WHERE digest = :digest;

-- name: suppressions.erase_deliveries
-- Erase the deliveries to an address, and to its subscriber at an earlier one: each keeps its id only.
UPDATE deliveries SET recipient = '(erased)', recipient_key = CAST(id AS TEXT) || '@erased', domain = '',
    subscriber_id = NULL, answer = NULL, next_at = NULL,
    state = CASE WHEN state NOT IN ('sent', 'failed', 'cancelled') THEN 'cancelled' ELSE state END
WHERE id IN (
    SELECT d.id FROM deliveries d WHERE d.issue_id IN (SELECT i.id FROM issues i) AND d.recipient_key = :key
    UNION SELECT d.id FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id WHERE s.email_key = :key
);

-- name: suppressions.keep_id
-- Store the id of a subscriber who is erased, so that no one else gets it.
INSERT INTO erased_subscribers (id) SELECT id FROM subscribers WHERE email_key = :key ON CONFLICT (id) DO NOTHING;

-- name: suppressions.delete_subscriber
-- Delete a subscriber, with their subscriptions and everything else that belongs to them.
DELETE FROM subscribers WHERE email_key = :key;

-- name: suppressions.delete_service_mails
-- Delete the mail to an address outside of issues.
DELETE FROM service_mails WHERE recipient_key = :key;

-- name: suppressions.delete_link_requests
-- Delete the requests for links of an address.
DELETE FROM link_requests WHERE email_key = :key;

-- name: suppressions.delete_address_changes
-- Delete the requests to move to an address.
DELETE FROM address_changes WHERE email_key = :key;

-- name: suppressions.halt_reasons
-- Return the issues that are halted by an answer that may have an address.
SELECT id, halted FROM issues WHERE halted LIKE '%@%';

-- name: suppressions.set_halt_reason
-- Store why an issue is halted.
UPDATE issues SET halted = :reason WHERE id = :id;

-- name: suppressions.pause_reasons
-- Return the domains that are paused by an answer that may have an address.
SELECT domain, reason FROM paused_domains WHERE reason LIKE '%@%';

-- name: suppressions.set_pause_reason
-- Store why a domain is paused.
UPDATE paused_domains SET reason = :reason WHERE domain = :id;
