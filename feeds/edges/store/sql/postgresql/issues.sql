-- name: issues.reached_keys
-- Return which of these addresses, as addresses are compared, got an issue or may have got it.
SELECT recipient_key FROM deliveries
WHERE issue_id = :id AND (state IN ('sent', 'unknown') OR unknowns > 0)
    AND recipient_key = ANY(:keys);
