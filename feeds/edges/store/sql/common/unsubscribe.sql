-- name: unsubscribe.set_status
-- Unsubscribe an address from everything; return the change.
UPDATE subscribers SET status = 'unsubscribed', status_at = :at
WHERE email_key = :key AND status NOT IN ('unsubscribed', 'complained')
RETURNING status, email_key, status_at;

-- name: unsubscribe.set_status_if_last
-- Unsubscribe a subscriber who has no subscription left from everything; return the change.
UPDATE subscribers SET status = 'unsubscribed', status_at = :at
WHERE id = :subscriber_id AND status IN ('pending', 'active')
    AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = subscribers.id)
RETURNING status, email_key, status_at;

-- name: unsubscribe.cancel_address
-- Cancel the pending deliveries of an address that is a subscriber's.
UPDATE deliveries SET state = 'cancelled', answer = 'cancelled: no longer subscribed'
WHERE state NOT IN ('sent', 'failed', 'cancelled') AND subscriber_id IN
    (SELECT id FROM subscribers WHERE email_key = :key);

-- name: unsubscribe.cancel_subscriber
-- Cancel the pending deliveries of a subscriber.
UPDATE deliveries SET state = 'cancelled', answer = 'cancelled: no longer subscribed'
WHERE state NOT IN ('sent', 'failed', 'cancelled') AND subscriber_id = :subscriber_id;

-- name: unsubscribe.cancel_newsletter
-- Cancel the pending deliveries of a newsletter to a subscriber.
UPDATE deliveries SET state = 'cancelled', answer = 'cancelled: no longer subscribed'
WHERE state NOT IN ('sent', 'failed', 'cancelled') AND subscriber_id = :subscriber_id
    AND issue_id IN (SELECT id FROM issues WHERE newsletter = :newsletter);

-- name: unsubscribe.subscriptions
-- Return the newsletters of a subscriber: one, if they have it, or all.
SELECT newsletter FROM subscriptions
WHERE subscriber_id = :subscriber_id AND :newsletter IN (newsletter, :every) ORDER BY newsletter;

-- name: unsubscribe.record_leave
-- Store that a subscriber has left a newsletter, with the topics, so that it can be undone; return their address.
INSERT INTO leaves (subscriber_id, newsletter, at, topics) VALUES (:subscriber_id, :newsletter, :at, coalesce(
    (SELECT topics FROM subscriptions WHERE subscriber_id = :subscriber_id AND newsletter = :newsletter), '[]'))
ON CONFLICT (subscriber_id, newsletter) DO UPDATE SET at = excluded.at, topics = excluded.topics
    WHERE leaves.at != excluded.at
RETURNING (SELECT email_key FROM subscribers WHERE id = :subscriber_id);

-- name: unsubscribe.delete_subscription
-- Delete a subscription.
DELETE FROM subscriptions WHERE subscriber_id = :subscriber_id AND newsletter = :newsletter;
