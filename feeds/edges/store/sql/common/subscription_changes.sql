-- name: subscription_changes.current_by_id
-- Return the id of a subscriber with each newsletter that they get, and its topics; or the id alone.
SELECT s.id, t.newsletter, t.topics FROM subscribers s
LEFT JOIN subscriptions t ON t.subscriber_id = s.id AND s.status = 'active' WHERE s.id = :who;

-- name: subscription_changes.current_by_key
-- Return the same for an address.
SELECT s.id, t.newsletter, t.topics FROM subscribers s
LEFT JOIN subscriptions t ON t.subscriber_id = s.id AND s.status = 'active' WHERE s.email_key = :who;

-- name: subscription_changes.add
-- Store a change.
INSERT INTO subscription_changes (subscriber_id, newsletter, at, what, topics, how, wording, client)
VALUES (:subscriber_id, :newsletter, :at, :what, :topics, :how, :wording, :client);

-- name: subscription_changes.trim
-- Delete the oldest changes of a subscriber and a newsletter.
DELETE FROM subscription_changes WHERE subscriber_id = :subscriber_id AND newsletter = :newsletter AND id NOT IN (
    SELECT id FROM subscription_changes WHERE subscriber_id = :subscriber_id AND newsletter = :newsletter
    ORDER BY id DESC LIMIT :most);

-- name: subscription_changes.load
-- Return the changes of an address, the oldest first.
SELECT newsletter, at, what, topics, how, wording, client FROM subscription_changes
WHERE subscriber_id = (SELECT id FROM subscribers WHERE email_key = :key) ORDER BY id;
