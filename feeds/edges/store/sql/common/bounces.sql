-- name: bounces.claim_message
-- Record a message as processed, unless it was recorded before.
INSERT INTO handled_messages (digest, at) VALUES (:digest, :at) ON CONFLICT (digest) DO NOTHING;

-- name: bounces.has_handled
-- Return 1 if a message was processed lately.
SELECT 1 FROM handled_messages LIMIT 1;

-- name: bounces.delete_old_messages
-- Delete the digests of messages that were processed before a time.
DELETE FROM handled_messages WHERE at < :before;

-- name: bounces.find_delivery
-- Return the recipient of a delivery, and its issue.
SELECT d.issue_id, d.subscriber_id, d.domain, d.recipient, i.seed, i.newsletter, i.number
FROM deliveries d JOIN issues i ON i.id = d.issue_id WHERE d.id = :id;

-- name: bounces.find_service_mail
-- Return the recipient of a mail outside of any issue.
SELECT m.recipient, m.domain, m.seed, s.id
FROM service_mails m LEFT JOIN subscribers s ON s.email_key = m.recipient_key WHERE m.id = :id;

-- name: bounces.fail_service_mail
-- Record that a mail outside of any issue did not arrive.
UPDATE service_mails SET state = 'failed', answer = :said WHERE id = :id;

-- name: bounces.record_complaint
-- Record when a mail outside of any issue was first reported as spam; return its recipient.
UPDATE service_mails SET complained_at = coalesce(complained_at, :at) WHERE id = :id RETURNING recipient_key;

-- name: bounces.find_subscriber
-- Return a subscriber as a recipient.
SELECT id, domain, email FROM subscribers WHERE id = :id;

-- name: bounces.newsletters_of
-- Return the newsletters that a subscriber reads or has left.
SELECT newsletter FROM subscriptions WHERE subscriber_id = :id
UNION SELECT newsletter FROM leaves WHERE subscriber_id = :id ORDER BY 1;

-- name: bounces.add
-- Store an undecided bounce, unless it is stored or its subscriber is unknown; return its id.
INSERT INTO bounces (subscriber_id, delivery_id, issue_id, domain, kind, status, said, at)
SELECT id, CAST(:delivery_id AS BIGINT), CAST(:issue_id AS BIGINT), CAST(:domain AS TEXT), CAST(:kind AS TEXT),
    CAST(:status AS TEXT), CAST(:said AS TEXT), :at
FROM subscribers WHERE id = :subscriber_id ON CONFLICT (delivery_id, kind) DO NOTHING RETURNING id;

-- name: bounces.load_refused
-- Return the first refused deliveries of an issue, after an id, that have no bounce yet; see `ix_deliveries_failed`.
SELECT d.id, d.subscriber_id, d.domain, d.answer FROM deliveries d
WHERE d.issue_id = :issue_id AND d.state = 'failed' AND d.id > :last
    AND d.subscriber_id IS NOT NULL AND d.answer IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id)
ORDER BY d.id LIMIT :limit;

-- name: bounces.load_undecided
-- Return the undecided bounces, in the order in which they arrived.
SELECT b.id, b.subscriber_id, b.issue_id, b.domain, b.kind, b.status, b.said, b.at, s.email, s.status
FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id WHERE b.decision = '' ORDER BY b.id;

-- name: bounces.load_earlier
-- Return the other bounces of a subscriber that count: not those before the last change of status.
SELECT b.kind, b.at FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
WHERE b.subscriber_id = :subscriber_id AND b.id != :excluded AND b.at >= s.status_at
    AND b.decision NOT IN ('', 'held', 'undone');

-- name: bounces.last_arrival
-- Return when the last letter was sent to a subscriber, up to a time, that did not bounce.
SELECT max(d.sent_at) FROM deliveries d
WHERE d.subscriber_id = :subscriber_id AND d.state = 'sent' AND d.sent_at <= :before
    AND NOT EXISTS (SELECT 1 FROM bounces b WHERE b.delivery_id = d.id);

-- name: bounces.decide
-- Store the decision on a bounce.
UPDATE bounces SET decision = :decision WHERE id = :id;

-- name: bounces.pause_subscriber
-- Pause a subscriber, instead of the last pause.
INSERT INTO pauses (subscriber_id, until) VALUES (:subscriber_id, :until)
ON CONFLICT (subscriber_id) DO UPDATE SET until = excluded.until;

-- name: bounces.set_status
-- Store another status of a subscriber; return the change.
UPDATE subscribers SET status = :status, status_at = :at WHERE id = :subscriber_id AND status != :status
RETURNING status, email_key, status_at;

-- name: bounces.count
-- Return the number of the hard and of the policy bounces of an issue at a domain.
SELECT count(*) FILTER (WHERE kind = 'hard'), count(*) FILTER (WHERE kind = 'policy') FROM bounces
WHERE domain = :domain AND issue_id = :issue_id AND decision != 'undone';

-- name: bounces.count_decided
-- Return the number of those whose decision was applied.
SELECT count(*) FILTER (WHERE kind = 'hard'), count(*) FILTER (WHERE kind = 'policy') FROM bounces
WHERE domain = :domain AND issue_id = :issue_id AND decision NOT IN ('', 'held', 'undone');

-- name: bounces.count_recipients
-- Return how many deliveries of an issue were attempted at a domain.
SELECT count(*) FROM deliveries WHERE issue_id = :issue_id AND domain = :domain AND subscriber_id IS NOT NULL
    AND (state IN ('sent', 'failed') OR handed_over_at IS NOT NULL);

-- name: bounces.is_domain_held
-- Return 1 if bounces of an issue at a domain are held.
SELECT 1 FROM bounces WHERE domain = :domain AND issue_id = :issue_id AND decision = 'held' LIMIT 1;

-- name: bounces.pause_domain
-- Pause a domain, instead of the last pause.
INSERT INTO paused_domains (domain, until, reason) VALUES (:domain, :until, :reason)
ON CONFLICT (domain) DO UPDATE SET until = excluded.until, reason = excluded.reason;

-- name: bounces.release_deliveries
-- Let the deliveries that wait for a domain wait no longer.
UPDATE deliveries SET next_at = NULL
WHERE state NOT IN ('sent', 'failed', 'cancelled') AND domain = :domain AND answer = :answer;

-- name: bounces.hold_in_issue
-- Hold the bounces of an issue at a domain, except complaints.
UPDATE bounces SET decision = 'held'
WHERE kind != 'complaint' AND decision NOT IN ('held', 'undone') AND domain = :domain AND issue_id = :issue_id;

-- name: bounces.reactivate_in_issue
-- Make subscribers active who bounced in an issue at a domain, if that was their last change; return the changes.
UPDATE subscribers SET status = 'active', status_at = :now WHERE status = 'bounced' AND EXISTS (
    SELECT 1 FROM bounces b WHERE b.subscriber_id = subscribers.id AND b.at = subscribers.status_at
        AND b.decision = 'bounced' AND b.domain = :domain AND b.issue_id = :issue_id)
RETURNING id, email_key, status_at;

-- name: bounces.unpause_in_issue
-- End the pauses that bounces of an issue at a domain have caused.
DELETE FROM pauses WHERE subscriber_id IN (SELECT b.subscriber_id FROM bounces b
    WHERE b.decision = 'paused' AND b.domain = :domain AND b.issue_id = :issue_id);

-- name: bounces.release_held
-- Make the held bounces at a domain undecided.
UPDATE bounces SET decision = '' WHERE domain = :domain AND decision = 'held';

-- name: bounces.load_paused_domains
-- Return the domains that are paused.
SELECT domain, until, reason FROM paused_domains WHERE until > :now ORDER BY domain;

-- name: bounces.unpause_domain
-- End the pause of a domain.
DELETE FROM paused_domains WHERE domain = :domain;

-- name: bounces.has_expired_pauses
-- Return 1 if a pause has expired.
SELECT 1 WHERE EXISTS (SELECT 1 FROM pauses WHERE until <= :now)
    OR EXISTS (SELECT 1 FROM paused_domains WHERE until <= :now)
    OR EXISTS (SELECT 1 FROM chosen_pauses WHERE until <= :now);

-- name: bounces.end_pauses
-- End the pauses after a bounce that have expired.
DELETE FROM pauses WHERE until <= :now;

-- name: bounces.end_domain_pauses
-- End the pauses of domains that have expired.
DELETE FROM paused_domains WHERE until <= :now;

-- name: bounces.end_chosen_pauses
-- End the pauses that subscribers have chosen, and that have expired.
DELETE FROM chosen_pauses WHERE until <= :now;

-- name: bounces.undo_in_period
-- Undo the bounces at a domain in a period, except complaints.
UPDATE bounces SET decision = 'undone'
WHERE kind != 'complaint' AND decision != 'undone' AND domain = :domain AND at >= :start AND at < :end;

-- name: bounces.reactivate_in_period
-- Make subscribers active who bounced in a period at a domain, if that was their last change; return the changes.
UPDATE subscribers SET status = 'active', status_at = :now WHERE status = 'bounced' AND EXISTS (
    SELECT 1 FROM bounces b WHERE b.subscriber_id = subscribers.id AND b.at = subscribers.status_at
        AND b.decision = 'bounced' AND b.domain = :domain AND b.at >= :start AND b.at < :end)
RETURNING id, email_key, status_at;

-- name: bounces.unpause_in_period
-- End the pauses that bounces at a domain in a period have caused.
DELETE FROM pauses WHERE subscriber_id IN (SELECT b.subscriber_id FROM bounces b
    WHERE b.decision = 'paused' AND b.domain = :domain AND b.at >= :start AND b.at < :end);
