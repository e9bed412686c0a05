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

-- name: journal.has_things
-- Return 1 if records of ids or issues are pending.
SELECT 1 FROM journal WHERE what IN ('id', 'issue') LIMIT 1;

-- name: journal.has_events
-- Return 1 if records of subscribers are pending.
SELECT 1 FROM journal WHERE what NOT IN ('id', 'issue') LIMIT 1;

-- name: journal.last_of_things
-- Return the last number of the first pending records of ids and issues.
SELECT max(id) FROM (SELECT id FROM journal WHERE what IN ('id', 'issue') ORDER BY id LIMIT :limit);

-- name: journal.last_of_events
-- Return the last number of the first pending records of subscribers.
SELECT max(id) FROM (SELECT id FROM journal WHERE what NOT IN ('id', 'issue') ORDER BY id LIMIT :limit);

-- name: journal.delete_things
-- Delete the records of ids and issues up to a number.
DELETE FROM journal WHERE id <= :last AND what IN ('id', 'issue');

-- name: journal.delete_events
-- Delete the records of subscribers up to a number.
DELETE FROM journal WHERE id <= :last AND what NOT IN ('id', 'issue');

-- name: journal.delete
-- Delete a record.
DELETE FROM journal WHERE id = :id;

-- name: journal.delete_after
-- Delete all records after a number.
DELETE FROM journal WHERE id > :last;

-- name: journal.last_number
-- Return the highest number of a record.
SELECT coalesce(max(id), 0) FROM journal;

-- name: journal.ids
-- Return the records of ids up to a number, with the entries that they are about.
SELECT j.id, e.id, e.path, e.text_digest, e.title, e.published, e.sketch, e.own_updated, e.shown_updated, e.replaced_by
FROM journal j JOIN entries e ON e.id = j.who WHERE j.what = 'id' AND j.id <= :last ORDER BY j.id;

-- name: journal.issues
-- Return the records of issues up to a number, with the issues that they are about.
SELECT j.id, i.newsletter, i.number, i.slot, i.subject, i.state, i.composed_at, i.transport, i.note, i.recipients,
    i.sent, coalesce(c.entry, ''), i.retracted_at, i.retraction,
    (SELECT o.number FROM issues o WHERE o.id = i.corrects), i.id
FROM journal j JOIN issues i ON i.newsletter = j.newsletter AND i.number = CAST(j.who AS INTEGER)
LEFT JOIN contents c ON c.issue_id = i.id
WHERE j.what = 'issue' AND j.id <= :last ORDER BY j.id;

-- name: journal.announced
-- Return the entries that an issue has announced, and how.
SELECT how, entry_id FROM announced WHERE issue_id = :issue ORDER BY how, position, entry_id;

-- name: journal.events
-- Return the records of subscribers up to a number.
SELECT id, what, who, newsletter, at FROM journal WHERE what NOT IN ('id', 'issue') AND id <= :last ORDER BY id;

-- name: journal.all_issues
-- Return all issues, unless they wait for approval, with the columns of `journal.issues`.
SELECT 0, i.newsletter, i.number, i.slot, i.subject, i.state, i.composed_at, i.transport, i.note, i.recipients,
    i.sent, coalesce(c.entry, ''), i.retracted_at, i.retraction,
    (SELECT o.number FROM issues o WHERE o.id = i.corrects), i.id
FROM issues i LEFT JOIN contents c ON c.issue_id = i.id WHERE i.approved ORDER BY i.id;

-- name: journal.has_people
-- Return 1 if there are subscribers, or addresses on the suppression list.
SELECT 1 FROM subscribers UNION ALL SELECT 1 FROM suppressions LIMIT 1;

-- name: journal.all_statuses
-- Return the status, address and time of each subscriber who is gone or has another status than at first.
SELECT status, email_key, status_at FROM subscribers
WHERE status IN ('unsubscribed', 'bounced', 'complained') OR status_at != created_at ORDER BY id;

-- name: journal.all_leaves
-- Return who has left which newsletter, and when.
SELECT s.email_key, l.newsletter, l.at FROM leaves l JOIN subscribers s ON s.id = l.subscriber_id
ORDER BY l.subscriber_id, l.newsletter;

-- name: journal.all_suppressions
-- Return the suppression list.
SELECT reason, digest, at FROM suppressions ORDER BY digest;

-- name: journal.file_id
-- Return the number of the journal file that the store has written to; 0 if there is none.
PRAGMA user_version;
