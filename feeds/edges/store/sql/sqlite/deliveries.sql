-- name: deliveries.claim
-- Lease the first deliveries of an issue that are ready or due, and return them.
UPDATE deliveries SET state = 'leased' WHERE id IN (
    SELECT id FROM deliveries
    WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND id % :every = 0
        AND (state = 'ready' OR ((next_at IS NULL OR next_at <= :now)
            AND (state = 'deferred' OR (state = 'unknown' AND unknowns <= :resend))))
    ORDER BY id LIMIT :limit)
RETURNING id, letter_id, recipient, state, handed_over_at, subscriber_id, tries;

-- name: deliveries.claim_untried
-- Lease the first deliveries of an issue that no server has answered yet, and return them.
UPDATE deliveries SET state = 'leased' WHERE id IN (
    SELECT id FROM deliveries
    WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND id % :every = 0
        AND state = 'ready' AND answer IS NULL
    ORDER BY id LIMIT :limit)
RETURNING id, letter_id, recipient, state, handed_over_at, subscriber_id, tries;

-- name: deliveries.begin
-- Store that deliveries are being handed over, and return their ids, without those that were cancelled meanwhile.
UPDATE deliveries SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, :now)
WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN ('leased', 'handing_over')
RETURNING id;

-- name: deliveries.finish
-- Store outcomes of attempts; of deliveries that were given up or cancelled meanwhile, only a success.
-- Stored again after a lost connection, they change nothing.
UPDATE deliveries SET state = o.state, sent_at = CASE WHEN o.state = 'sent' THEN :now END, answer = o.answer,
    tries = o.tries, next_at = o.next_at,
    unknowns = unknowns + CASE WHEN o.state = 'unknown' AND deliveries.state != 'unknown' THEN 1 ELSE 0 END
FROM (
    SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.state') AS state,
        json_extract(value, '$.answer') AS answer, json_extract(value, '$.tries') AS tries,
        json_extract(value, '$.next_at') AS next_at
    FROM json_each(:outcomes)) AS o
WHERE deliveries.id = o.id AND (deliveries.state NOT IN ('failed', 'cancelled') OR o.state = 'sent');

-- name: deliveries.cancel
-- Cancel what is not sent yet of an issue; what is being handed over may be delivered.
UPDATE deliveries SET state = 'cancelled', answer = :answer,
    unknowns = unknowns + CASE WHEN state = 'handing_over' THEN 1 ELSE 0 END
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled');

-- name: deliveries.release
-- Make the leased deliveries of an issue ready again.
UPDATE deliveries SET state = 'ready'
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND state = 'leased';
