-- name: preferences.is_subscribed
-- Return 1 if a subscriber has a newsletter; or any, if every newsletter is meant.
SELECT 1 FROM subscriptions WHERE subscriber_id = :subscriber_id AND :newsletter IN (newsletter, :every);

-- name: preferences.left_at
-- Return when a subscriber has left a newsletter, or the last of all.
SELECT max(at) FROM leaves WHERE subscriber_id = :subscriber_id AND :newsletter IN (newsletter, :every);

-- name: preferences.undo_leave
-- Delete what was remembered of leaving at a time; return the newsletters with their topics.
DELETE FROM leaves WHERE subscriber_id = :subscriber_id AND :newsletter IN (newsletter, :every) AND at = :left_at
RETURNING newsletter, topics;

-- name: preferences.key
-- Return the address of a subscriber, as addresses are compared.
SELECT email_key FROM subscribers WHERE id = :subscriber_id;

-- name: preferences.reactivate
-- Make a subscriber active whom the unsubscribe at a time has made unsubscribed; return them.
UPDATE subscribers SET status = 'active', status_at = :now
WHERE id = :subscriber_id AND status = 'unsubscribed' AND status_at = :left_at
RETURNING id, email_key, status_at;

-- name: preferences.activate
-- Make a subscriber active; return them if they were not.
UPDATE subscribers SET status = 'active', status_at = :now WHERE id = :subscriber_id AND status != 'active'
RETURNING id, email_key, status_at;

-- name: preferences.subscribe
-- Store a subscription with its topics.
INSERT INTO subscriptions (subscriber_id, newsletter, topics) VALUES (:subscriber_id, :newsletter, :topics)
ON CONFLICT (subscriber_id, newsletter) DO UPDATE SET topics = excluded.topics
    WHERE subscriptions.topics != excluded.topics;

-- name: preferences.set_language
-- Store the language of a subscriber.
UPDATE subscribers SET lang = :lang WHERE id = :subscriber_id;

-- name: preferences.paused_until
-- Return until when a subscriber wants no letters.
SELECT until FROM chosen_pauses WHERE subscriber_id = :subscriber_id;

-- name: preferences.paused_until_of
-- Return the same of an address.
SELECT p.until FROM chosen_pauses p JOIN subscribers s ON s.id = p.subscriber_id WHERE s.email_key = :key;

-- name: preferences.set_pause
-- Store until when a subscriber wants no letters.
INSERT INTO chosen_pauses (subscriber_id, until) VALUES (:subscriber_id, :until)
ON CONFLICT (subscriber_id) DO UPDATE SET until = excluded.until;

-- name: preferences.end_pause
-- Delete the pause of a subscriber.
DELETE FROM chosen_pauses WHERE subscriber_id = :subscriber_id;

-- name: preferences.delete_address_changes
-- Delete requests for another address from before a time, or at it.
DELETE FROM address_changes WHERE at <= :before;

-- name: preferences.has_address_changes
-- Return 1 if there are such requests.
SELECT 1 FROM address_changes WHERE at <= :before LIMIT 1;

-- name: preferences.count_address_changes
-- Return how often a subscriber has asked for another address after a time.
SELECT count(*) FROM address_changes WHERE subscriber_id = :subscriber_id AND at > :since;

-- name: preferences.add_address_change
-- Store a request for another address; return its number.
INSERT INTO address_changes (subscriber_id, at, email, email_key) VALUES (:subscriber_id, :now, :email, :key)
RETURNING id;

-- name: preferences.find_address_change
-- Return the address that a subscriber has asked for, and when they have moved to it.
SELECT email, confirmed_at FROM address_changes
WHERE id = :number AND subscriber_id = :subscriber_id AND email IS NOT NULL;

-- name: preferences.confirm_address_change
-- Store when a subscriber has moved to an address, unless they had before.
UPDATE address_changes SET confirmed_at = :now WHERE id = :number AND confirmed_at IS NULL;

-- name: preferences.has_moved
-- Return 1 if a subscriber has moved to an address that is active.
SELECT 1 FROM moved_subscribers m JOIN subscribers s ON s.id = m.successor_id
WHERE m.subscriber_id = :subscriber_id AND s.email_key = :key AND s.status = 'active';

-- name: preferences.wanted_addresses
-- Return the addresses that an address wants to move to, the oldest first.
SELECT c.email FROM address_changes c JOIN subscribers s ON s.id = c.subscriber_id
WHERE s.email_key = :key AND c.email IS NOT NULL ORDER BY c.id;

-- name: preferences.values_to_move
-- Return what a new subscriber takes over from the one who has moved.
SELECT lang, timezone, consent, source, created_at FROM subscribers WHERE id = :old;

-- name: preferences.move_changes
-- Give the records of changes to the subscriber of the new address.
UPDATE subscription_changes SET subscriber_id = :new WHERE subscriber_id = :old;

-- name: preferences.move_subscriptions
-- Give the subscriptions to the new address, which keeps its own.
INSERT INTO subscriptions (subscriber_id, newsletter, topics)
SELECT :new, newsletter, topics FROM subscriptions WHERE subscriber_id = :old
ON CONFLICT (subscriber_id, newsletter) DO NOTHING;

-- name: preferences.forget_leaves
-- Forget that the subscriber of the new address had left what they get now; return these newsletters.
DELETE FROM leaves WHERE subscriber_id = :new AND newsletter IN
    (SELECT newsletter FROM subscriptions WHERE subscriber_id = :new)
RETURNING newsletter;

-- name: preferences.move_pause
-- Give the pause to the new address, unless it has its own.
INSERT INTO chosen_pauses (subscriber_id, until) SELECT :new, until FROM chosen_pauses WHERE subscriber_id = :old
ON CONFLICT (subscriber_id) DO NOTHING;

-- name: preferences.link_addresses
-- Store which subscriber has everything of one who has moved.
INSERT INTO moved_subscribers (subscriber_id, successor_id) VALUES (:old, :new)
ON CONFLICT (subscriber_id) DO UPDATE SET successor_id = excluded.successor_id;

-- name: preferences.has_requests
-- Return 1 if anybody waits for a link or for erasure.
SELECT 1 FROM link_requests UNION ALL SELECT 1 FROM erasure_requests LIMIT 1;

-- name: preferences.add_link_request
-- Store a request for a link, unless too many wait.
INSERT INTO link_requests (email_key, at) SELECT :key, :now WHERE (SELECT count(*) FROM link_requests) < :most
ON CONFLICT (email_key) DO NOTHING;

-- name: preferences.link_requests
-- Return the addresses for which a link was asked for, the oldest first.
SELECT email_key FROM link_requests ORDER BY at, email_key;

-- name: preferences.delete_link_request
-- Delete a request that is answered.
DELETE FROM link_requests WHERE email_key = :key;

-- name: preferences.add_erasure_request
-- Store that a subscriber wants to be erased.
INSERT INTO erasure_requests (email_key, at) VALUES (:key, :now) ON CONFLICT (email_key) DO NOTHING;

-- name: preferences.erasure_requests
-- Return the addresses that are to be erased, the oldest first.
SELECT email_key FROM erasure_requests ORDER BY at, email_key;

-- name: preferences.delete_erasure_request
-- Delete the request of an address that was erased.
DELETE FROM erasure_requests WHERE email_key = :key;
