-- name: signups.count_requests
-- Return how many requests wait to be looked at.
SELECT count(*) FROM signup_requests;

-- name: signups.save_request
-- Store a request instead of the last one of the address.
INSERT INTO signup_requests (email, email_key, newsletters, lang, client, network, wording, signals, at)
VALUES (:email, :key, :newsletters, :lang, :client, :network, :wording, :signals, :at)
ON CONFLICT (email_key) DO UPDATE SET email = excluded.email, newsletters = excluded.newsletters, lang = excluded.lang,
    client = excluded.client, network = excluded.network, wording = excluded.wording, signals = excluded.signals,
    at = excluded.at;

-- name: signups.load_requests
-- Return the oldest requests.
SELECT id, email, email_key, newsletters, lang, client, network, wording, signals, at FROM signup_requests
ORDER BY at, id LIMIT :limit;

-- name: signups.has_request
-- Return 1 if a request waits to be looked at.
SELECT 1 FROM signup_requests LIMIT 1;

-- name: signups.take_request
-- Delete a request, unless it was entered again meanwhile.
DELETE FROM signup_requests WHERE id = :id AND at = :at;

-- name: signups.delete_request
-- Delete the request of an address.
DELETE FROM signup_requests WHERE email_key = :key;

-- name: signups.add_wording
-- Store words of consent, unless they are stored.
INSERT INTO consent_wordings (version, lang, text, at) VALUES (:version, :lang, :text, :at)
ON CONFLICT (version) DO NOTHING;

-- name: signups.has_wording
-- Return 1 if words of consent are stored.
SELECT 1 FROM consent_wordings WHERE version = :version;

-- name: signups.count_near
-- Return how many other sign-ups a client, and its whole network, have made after a time.
SELECT count(*) FILTER (WHERE client = :client), count(*) FROM signups
WHERE network = :network AND created_at > :since AND email_key != :key;

-- name: signups.save
-- Store a sign-up and return it. One that was confirmed begins anew: links that were mailed before are not valid.
INSERT INTO signups (email, email_key, newsletters, lang, client, network, wording, state, held, created_at,
    confirmation_at)
VALUES (:email, :key, :newsletters, :lang, :client, :network, :wording, :state, :held, :at, :confirmation_at)
ON CONFLICT (email_key) DO UPDATE SET email = excluded.email, newsletters = excluded.newsletters, lang = excluded.lang,
    client = excluded.client, network = excluded.network, wording = excluded.wording, state = excluded.state,
    held = excluded.held, confirmation_at = coalesce(excluded.confirmation_at, signups.confirmation_at),
    created_at = CASE WHEN signups.state = 'confirmed' THEN excluded.created_at ELSE signups.created_at END,
    reminded_at = CASE WHEN signups.state = 'confirmed' THEN NULL ELSE signups.reminded_at END, confirmed_at = NULL
RETURNING id, email, email_key, newsletters, lang, client, wording, state, held, created_at, confirmation_at;

-- name: signups.waiting_newsletters
-- Return the newsletters of the sign-up of an address that waits for its click.
SELECT newsletters FROM signups WHERE email_key = :key AND state = 'waiting';

-- name: signups.set_newsletters
-- Store the newsletters of a sign-up that waits for its click.
UPDATE signups SET newsletters = :newsletters WHERE email_key = :key AND state = 'waiting';

-- name: signups.find
-- Return a sign-up by its id.
SELECT id, email, email_key, newsletters, lang, client, wording, state, held, created_at, confirmation_at
FROM signups WHERE id = :id;

-- name: signups.find_by_key
-- Return the sign-up of an address.
SELECT id, email, email_key, newsletters, lang, client, wording, state, held, created_at, confirmation_at
FROM signups WHERE email_key = :key;

-- name: signups.load
-- Return the sign-ups in a state, the oldest first.
SELECT id, email, email_key, newsletters, lang, client, wording, state, held, created_at, confirmation_at
FROM signups WHERE state = :state ORDER BY created_at, id;

-- name: signups.count
-- Return how many sign-ups are in each state.
SELECT state, count(*) FROM signups GROUP BY state;

-- name: signups.has_expired
-- Return 1 if a sign-up is as old as a time.
SELECT 1 FROM signups WHERE coalesce(confirmed_at, confirmation_at, created_at) <= :before LIMIT 1;

-- name: signups.confirm
-- Record that a sign-up was confirmed, if it waits for that.
UPDATE signups SET state = 'confirmed', confirmed_at = :now WHERE id = :id AND state = 'waiting';

-- name: signups.load_for_reminder
-- Return sign-ups whose confirmation was queued before a time and sent, and that were not reminded yet.
SELECT id, email, email_key, newsletters, lang, client, wording, state, held, created_at, confirmation_at FROM signups
WHERE state = 'waiting' AND reminded_at IS NULL AND confirmation_at <= :before AND EXISTS (
    SELECT 1 FROM service_mails m WHERE m.recipient_key = signups.email_key AND m.kind = 'confirmation'
        AND m.state = 'sent' AND m.created_at >= signups.confirmation_at)
ORDER BY id LIMIT :limit;

-- name: signups.remind
-- Record that a sign-up was reminded, if it waits and was not.
UPDATE signups SET reminded_at = :now WHERE id = :id AND reminded_at IS NULL AND state = 'waiting';

-- name: signups.release
-- Let a sign-up that was held wait for its click.
UPDATE signups SET state = 'waiting', held = '', confirmation_at = :now WHERE id = :id AND state = 'held';

-- name: signups.delete
-- Delete the sign-up of an address.
DELETE FROM signups WHERE email_key = :key;

-- name: signups.delete_unconfirmed
-- Delete the sign-ups that were not confirmed in time.
DELETE FROM signups WHERE state != 'confirmed' AND coalesce(confirmation_at, created_at) <= :before;

-- name: signups.delete_confirmed
-- Delete the records of sign-ups that were confirmed long ago.
DELETE FROM signups WHERE state = 'confirmed' AND confirmed_at <= :before;

-- name: signups.delete_networks
-- Delete the counts of networks that have begun long ago.
DELETE FROM signup_networks WHERE since <= :before;

-- name: signups.count_complaints
-- Return how many confirmations and reminders were sent after a time, and how many of them were complained about.
SELECT count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE complained_at IS NOT NULL) FROM service_mails
WHERE kind IN ('confirmation', 'reminder') AND created_at > :since;

-- name: signups.first_complaint
-- Return the number of the first mail that was complained about; 0 if none was.
SELECT coalesce(min(id), 0) FROM service_mails WHERE complained_at IS NOT NULL;

-- name: signups.forget_complaints
-- Forget which mail was complained about.
UPDATE service_mails SET complained_at = NULL WHERE complained_at IS NOT NULL;
