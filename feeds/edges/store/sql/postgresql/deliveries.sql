-- name: deliveries.claim
-- Lease the first deliveries of an issue that are ready or due, and return them; not those that others change now.
UPDATE deliveries SET state = 'leased' WHERE id = ANY(ARRAY(
    SELECT id FROM deliveries
    WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND id % :every = 0
        AND (state = 'ready' OR ((next_at IS NULL OR next_at <= :now)
            AND (state = 'deferred' OR (state = 'unknown' AND unknowns <= :resend))))
    ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED))
RETURNING id, letter_id, recipient, state, handed_over_at, subscriber_id, tries;

-- name: deliveries.claim_untried
-- Lease the first deliveries of an issue that no server has answered yet, and return them; likewise.
UPDATE deliveries SET state = 'leased' WHERE id = ANY(ARRAY(
    SELECT id FROM deliveries
    WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND id % :every = 0
        AND state = 'ready' AND answer IS NULL
    ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED))
RETURNING id, letter_id, recipient, state, handed_over_at, subscriber_id, tries;

-- name: deliveries.begin
-- Store that deliveries are being handed over, and return their ids, without those that are or were cancelled.
-- A row that is locked is being changed, and waiting for it after `deliveries.finish` could be a deadlock.
UPDATE deliveries SET state = 'handing_over', handed_over_at = coalesce(handed_over_at, :now)
WHERE id = ANY(ARRAY(
    SELECT id FROM deliveries WHERE id = ANY(:ids) AND state IN ('leased', 'handing_over')
    FOR NO KEY UPDATE SKIP LOCKED))
RETURNING id;

-- name: deliveries.finish
-- Store outcomes of attempts; of deliveries that were given up or cancelled meanwhile, only a success.
-- Stored again after a lost connection, they change nothing.
-- One statement for all is twice as fast as one for each. Rows are locked in the order of their ids: no deadlock. Of
-- arrays the planner expects few elements, so it uses the index, also after many rows were added.
UPDATE deliveries SET state = o.state, answer = o.answer, tries = o.tries,
    next_at = CAST(o.next_at || ' UTC' AS TIMESTAMP WITH TIME ZONE),
    sent_at = CASE WHEN o.state = 'sent' THEN CAST(:now AS TIMESTAMP WITH TIME ZONE) END,
    unknowns = unknowns + CASE WHEN o.state = 'unknown' AND deliveries.state != 'unknown' THEN 1 ELSE 0 END
FROM json_to_recordset(CAST(:outcomes AS JSON))
    AS o (id BIGINT, state TEXT, answer TEXT, tries INTEGER, next_at TEXT)
WHERE deliveries.id = o.id AND (deliveries.state NOT IN ('failed', 'cancelled') OR o.state = 'sent')
    AND deliveries.id = ANY(ARRAY(
        SELECT id FROM deliveries
        WHERE id = ANY(ARRAY(
            SELECT CAST(value ->> 'id' AS BIGINT) FROM json_array_elements(CAST(:outcomes AS JSON))))
        ORDER BY id FOR NO KEY UPDATE));

-- name: deliveries.cancel
-- Cancel what is not sent yet of an issue; what is being handed over may be delivered.
-- Rows are locked in the order of their ids, as by `deliveries.finish`: no deadlock.
WITH pending AS MATERIALIZED (
    SELECT id FROM deliveries WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled')
    ORDER BY id FOR NO KEY UPDATE)
UPDATE deliveries SET state = 'cancelled', answer = :answer,
    unknowns = unknowns + CASE WHEN state = 'handing_over' THEN 1 ELSE 0 END
FROM pending WHERE deliveries.id = pending.id;

-- name: deliveries.release
-- Make the leased deliveries of an issue ready again.
-- Rows are locked in the order of their ids, as by `deliveries.finish`: no deadlock.
WITH leased AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND state = 'leased'
    ORDER BY id FOR NO KEY UPDATE)
UPDATE deliveries SET state = 'ready' FROM leased WHERE deliveries.id = leased.id;
