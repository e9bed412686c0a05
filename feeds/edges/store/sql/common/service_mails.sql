-- name: service_mails.add
-- Queue a mail.
INSERT INTO service_mails (kind, recipient, recipient_key, domain, lang, template_values, seed, state, created_at,
    expires_at)
VALUES (:kind, :recipient, :key, :domain, :lang, :template_values, :seed, 'ready', :at, :expires_at);

-- name: service_mails.cancel_confirmations
-- Cancel the confirmation and the reminder that wait for an address.
UPDATE service_mails SET state = 'cancelled', answer = :reason, template_values = '{}'
WHERE recipient_key = :key AND state IN ('ready', 'handing_over', 'unknown') AND kind IN ('confirmation', 'reminder');

-- name: service_mails.cancel_address_mails
-- Cancel the mail that waits for the addresses that a subscriber wants to move to.
UPDATE service_mails SET state = 'cancelled', answer = 'who asked for it was erased', template_values = '{}'
WHERE state IN ('ready', 'handing_over', 'unknown') AND kind = 'address' AND recipient_key IN (
    SELECT c.email_key FROM address_changes c JOIN subscribers s ON s.id = c.subscriber_id WHERE s.email_key = :key);

-- name: service_mails.last_queued_at
-- Return when the last mail of a kind was queued for an address.
SELECT max(created_at) FROM service_mails WHERE recipient_key = :key AND kind = :kind;

-- name: service_mails.load_records
-- Return the mails to an address without their content, the oldest first.
SELECT kind, state, created_at, sent_at FROM service_mails WHERE recipient_key = :key ORDER BY id;

-- name: service_mails.count_queued
-- Return how many mails of a kind were queued after a time.
SELECT count(*) FROM service_mails WHERE kind = :kind AND created_at > :since;

-- name: service_mails.recover
-- Let mail that was being handed over, and may have arrived, wait.
UPDATE service_mails SET state = 'unknown', unknowns = unknowns + 1, next_at = :retry_at,
    answer = 'the sender was stopped before the server answered' WHERE state = 'handing_over';

-- name: service_mails.cancel_expired
-- Cancel the mail that waits and has expired.
UPDATE service_mails SET state = 'cancelled', answer = 'expired before it was sent', template_values = '{}'
WHERE state IN ('ready', 'handing_over', 'unknown') AND state != 'handing_over' AND expires_at <= :now;

-- name: service_mails.load_due
-- Return the mail that is due, in the order of ids.
SELECT id, kind, recipient, lang, template_values, seed, tries, handed_over_at FROM service_mails
WHERE state IN ('ready', 'handing_over', 'unknown') AND (state = 'ready' OR (state = 'unknown' AND unknowns <= :resend))
    AND (next_at IS NULL OR next_at <= :now) AND id > :last
ORDER BY id LIMIT :limit;

-- name: service_mails.begin
-- Record that a mail is being handed over, unless it was cancelled; return when it was first.
UPDATE service_mails SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, :now)
WHERE id = :id AND state IN ('ready', 'unknown') RETURNING handed_over_at;

-- name: service_mails.finish
-- Record the outcome of a mail; what was cancelled meanwhile stays cancelled, unless it was sent.
UPDATE service_mails SET state = :state, answer = :answer, tries = :tries, next_at = :next_at,
    unknowns = unknowns + CASE WHEN :state = 'unknown' THEN 1 ELSE 0 END,
    sent_at = :sent_at,
    template_values = CASE WHEN :state IN ('sent', 'failed') THEN '{}' ELSE template_values END
WHERE id = :id AND (state != 'cancelled' OR :state = 'sent');

-- name: service_mails.next_at
-- Return when the next mail is due; mail that is being handed over is due too: its sender may have been killed.
SELECT min(CASE WHEN state = 'handing_over' THEN created_at ELSE coalesce(next_at, created_at) END) FROM service_mails
WHERE state IN ('ready', 'handing_over', 'unknown') AND (state != 'unknown' OR unknowns <= :resend);

-- name: service_mails.delete_old
-- Delete mail that was finished long ago.
DELETE FROM service_mails WHERE state NOT IN ('ready', 'handing_over', 'unknown') AND created_at < :before;
