-- name: deliveries.mark_unknown
-- Store that the deliveries that are being handed over may have been delivered.
UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1, next_at = NULL,
    answer = 'the sender was stopped before the server answered'
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND state = 'handing_over';

-- name: deliveries.retry_now
-- Make all deferred and held deliveries of an issue ready.
UPDATE deliveries SET state = 'ready', unknowns = 0, tries = 0, next_at = NULL
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND state IN ('deferred', 'unknown');

-- name: deliveries.leased_ids
-- Return the ids of the leased deliveries of an issue.
SELECT id FROM deliveries
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND state = 'leased';

-- name: deliveries.count_states
-- Return how many deliveries of an issue are in each state.
SELECT state, count(*) FROM deliveries WHERE issue_id = :issue GROUP BY state;

-- name: deliveries.count_pending
-- Return how many deliveries of an issue are pending, when the first is due (NULL: now), and how many are held.
SELECT count(*) FILTER (WHERE state != 'unknown' OR unknowns <= :resend),
    CASE WHEN count(*) FILTER (WHERE next_at IS NULL AND (state != 'unknown' OR unknowns <= :resend)) = 0
        THEN min(next_at) FILTER (WHERE state != 'unknown' OR unknowns <= :resend) END,
    count(*) FILTER (WHERE state = 'unknown' AND unknowns > :resend)
FROM deliveries WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled');

-- name: deliveries.first_batch
-- Return how many deliveries one in every few are, how many of them are pending, sent and failed, and the last time.
SELECT count(*),
    count(*) FILTER (WHERE state IN ('ready', 'leased', 'handing_over')),
    count(*) FILTER (WHERE state = 'sent'),
    count(*) FILTER (WHERE state = 'failed' OR EXISTS (SELECT 1 FROM bounces AS b
        WHERE b.delivery_id = d.id AND b.kind IN ('hard', 'policy', 'complaint'))),
    max(sent_at)
FROM deliveries AS d WHERE issue_id = :issue AND id % :every = 0 AND state != 'cancelled';

-- name: deliveries.count_sent
-- Return how many messages were sent after a time: deliveries of all issues, and mail outside of issues.
SELECT (SELECT count(*) FROM deliveries WHERE sent_at > :since)
    + (SELECT count(*) FROM service_mails WHERE sent_at > :since);

-- name: deliveries.sent_before
-- Return when the last of these messages was sent, but for some.
SELECT sent_at FROM deliveries WHERE sent_at IS NOT NULL
UNION ALL
SELECT sent_at FROM service_mails WHERE sent_at IS NOT NULL
ORDER BY sent_at DESC LIMIT 1 OFFSET :offset;

-- name: deliveries.sent_since
-- Return how many deliveries of an issue were sent after a time.
SELECT count(*) FROM deliveries WHERE issue_id = :issue AND sent_at > :since;

-- name: deliveries.has_begun
-- Return 1 if any delivery of an issue was ever attempted.
SELECT 1 FROM deliveries WHERE issue_id = :issue AND (handed_over_at IS NOT NULL OR answer IS NOT NULL) LIMIT 1;

-- name: deliveries.has_sent
-- Return 1 if any delivery of an issue was sent.
SELECT 1 FROM deliveries WHERE issue_id = :issue AND state = 'sent' LIMIT 1;

-- name: deliveries.count_answers
-- Return how often each answer but one occurs at each domain, among deliveries of an issue that were not sent.
SELECT domain, answer, count(*) FROM deliveries
WHERE issue_id = :issue AND state NOT IN ('sent', 'cancelled') AND answer IS NOT NULL AND answer != :but
GROUP BY domain, answer;

-- name: deliveries.load_results
-- Return the results of the deliveries of an issue.
SELECT d.recipient, l.lang, d.state, d.sent_at, coalesce(d.answer, ''), d.tries
FROM deliveries AS d JOIN letters AS l ON l.id = d.letter_id WHERE d.issue_id = :issue ORDER BY d.id;

-- name: deliveries.release_to_all
-- Store that an issue may be sent to all recipients.
UPDATE issues SET whole = true WHERE id = :issue;

-- name: deliveries.halt
-- Store why an issue is halted.
UPDATE issues SET halted = :reason WHERE id = :issue;
