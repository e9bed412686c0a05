-- name: journal.add
-- Add a record.
INSERT INTO journal (what, who, newsletter, at) VALUES (:what, :who, :newsletter, :at);

-- name: journal.add_issue
-- Add a record of an issue, unless it waits for approval.
INSERT INTO journal (what, who, newsletter, at)
SELECT 'issue', number, newsletter, composed_at FROM issues WHERE id = :id AND approved;

-- name: journal.add_arrivals
-- Add records of the statuses that an import changes, and of new subscribers who are gone.
INSERT INTO journal (what, who, newsletter, at)
SELECT CASE weight WHEN 0 THEN 'pending' WHEN 1 THEN 'active' WHEN 2 THEN 'unsubscribed' WHEN 3 THEN 'bounced'
    ELSE 'complained' END, key, '', :at
FROM arrivals
WHERE (fate = 'added' AND weight >= 2) OR (fate IN ('left', 'gone', 'merged') AND weight > was_weight) ORDER BY id;
