-- name: journal.add
-- Add a record.
INSERT INTO journal (what, who, newsletter, at) VALUES (:what, :who, :newsletter, :at);

-- name: journal.add_issue
-- Add a record of an issue, unless it waits for approval.
INSERT INTO journal (what, who, newsletter, at)
SELECT 'issue', number, newsletter, composed_at FROM issues WHERE id = :id AND approved;
