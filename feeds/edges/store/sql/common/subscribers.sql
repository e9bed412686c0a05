-- name: subscribers.find
-- Return the subscriber with an address, a row for each subscription; or one without any.
SELECT p.id, p.email, p.email_key, p.status, p.lang, p.timezone, p.consent, p.source, p.created_at, p.status_at,
    s.newsletter, s.topics
FROM subscribers p LEFT JOIN subscriptions s ON s.subscriber_id = p.id WHERE p.email_key = :key;

-- name: subscribers.find_by_id
-- Return the subscriber with an id, in the same rows.
SELECT p.id, p.email, p.email_key, p.status, p.lang, p.timezone, p.consent, p.source, p.created_at, p.status_at,
    s.newsletter, s.topics
FROM subscribers p LEFT JOIN subscriptions s ON s.subscriber_id = p.id WHERE p.id = :id;

-- name: subscribers.count_by_status
-- Return how many subscribers have each status: of those with one status, of one newsletter, or of all.
SELECT p.status, count(*) FROM subscribers p
WHERE (CAST(:status AS TEXT) IS NULL OR p.status = :status) AND (CAST(:newsletter AS TEXT) IS NULL OR EXISTS
    (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = p.id AND s.newsletter = :newsletter))
GROUP BY p.status ORDER BY 2 DESC, 1;

-- name: subscribers.newsletters
-- Return the newsletters that have subscriptions.
SELECT DISTINCT newsletter FROM subscriptions;

-- name: subscribers.former_keys
-- Return the addresses from which a subscriber has moved, and those from which these had moved, the oldest first.
WITH RECURSIVE former (id, distance) AS (
    SELECT m.subscriber_id, 1 FROM moved_subscribers m JOIN subscribers s ON s.id = m.successor_id
    WHERE s.email_key = :key
    UNION SELECT m.subscriber_id, f.distance + 1 FROM moved_subscribers m JOIN former f ON f.id = m.successor_id
)
SELECT s.email_key FROM former f JOIN subscribers s ON s.id = f.id ORDER BY f.distance DESC, f.id;

-- name: subscribers.deliveries
-- Return the deliveries to an address, the oldest first; the index of deliveries begins with the issue.
SELECT i.newsletter, i.number, i.subject, l.lang, d.state, d.sent_at, coalesce(d.answer, '')
FROM deliveries d JOIN issues i ON i.id = d.issue_id JOIN letters l ON l.id = d.letter_id
WHERE d.issue_id IN (SELECT id FROM issues) AND d.recipient_key = :key ORDER BY i.slot, i.id;

-- name: subscribers.left_newsletters
-- Return the newsletters that an address has left one by one, and when.
SELECT l.newsletter, l.at FROM leaves l JOIN subscribers s ON s.id = l.subscriber_id
WHERE s.email_key = :key ORDER BY l.newsletter;

-- name: subscribers.bounces
-- Return the bounces of an address, the oldest first.
SELECT b.at, b.kind, b.status, b.said, b.decision FROM bounces b JOIN subscribers s ON s.id = b.subscriber_id
WHERE s.email_key = :key ORDER BY b.at, b.id;

-- name: subscribers.find_status
-- Return the id and the status of an address.
SELECT id, status FROM subscribers WHERE email_key = :key;

-- name: subscribers.activate
-- Make a subscriber active, add what is missing, and append the consent if it is about something new.
UPDATE subscribers SET status = 'active', lang = coalesce(:lang, lang), timezone = coalesce(:timezone, timezone),
    status_at = CASE status WHEN 'active' THEN status_at ELSE :at END,
    consent = CASE WHEN :is_new THEN trim(consent || '; ' || :consent, '; ') ELSE consent END
WHERE id = :id;

-- name: subscribers.subscribed
-- Return the newsletters of a subscriber.
SELECT newsletter FROM subscriptions WHERE subscriber_id = :id;

-- name: subscribers.add_subscription
-- Add a subscription.
INSERT INTO subscriptions (topics, subscriber_id, newsletter) VALUES (:topics, :id, :newsletter);

-- name: subscribers.set_topics
-- Store the topics of a subscription.
UPDATE subscriptions SET topics = :topics WHERE subscriber_id = :id AND newsletter = :newsletter;

-- name: subscribers.delete_leave
-- Forget that a subscriber has left a newsletter, if they have.
DELETE FROM leaves WHERE subscriber_id = :id AND newsletter = :newsletter;

-- name: subscribers.delete_moved
-- Forget that a subscriber has moved to another address.
DELETE FROM moved_subscribers WHERE subscriber_id = :id;
