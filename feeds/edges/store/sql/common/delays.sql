-- name: delays.load_domains
-- Return the delays of the domains of an issue.
SELECT domain, cause, answer, times, until FROM delayed_domains WHERE issue_id = :issue ORDER BY domain;

-- name: delays.save_domain
-- Store the delay of a domain instead of the last one.
INSERT INTO delayed_domains (issue_id, domain, cause, answer, times, until)
VALUES (:issue, :domain, :cause, :answer, :times, :until)
ON CONFLICT (issue_id, domain) DO UPDATE
SET cause = excluded.cause, answer = excluded.answer, times = excluded.times, until = excluded.until;

-- name: delays.delete_domain
-- Delete the delay of a domain.
DELETE FROM delayed_domains WHERE issue_id = :issue AND domain = :domain;

-- name: delays.delete_domains
-- Delete the delays of all domains of an issue.
DELETE FROM delayed_domains WHERE issue_id = :issue;

-- name: delays.release_waiting
-- Make the deliveries ready that wait because their domain is paused.
UPDATE deliveries SET state = 'ready', next_at = NULL
WHERE issue_id = :issue AND state NOT IN ('sent', 'failed', 'cancelled') AND state = 'deferred' AND answer = :answer
    AND domain = :domain;

-- name: delays.release_refused
-- Make a deferred delivery ready.
UPDATE deliveries SET state = 'ready', next_at = NULL
WHERE id = :id AND issue_id = :issue AND state = 'deferred' AND domain = :domain;

-- name: delays.load_servers
-- Return what is known about the mail servers of an issue.
SELECT server, answer, times, until, per_connection, per_minute FROM server_limits
WHERE issue_id = :issue ORDER BY server;

-- name: delays.save_server
-- Store what is known about a mail server instead of what was.
INSERT INTO server_limits (issue_id, server, answer, times, until, per_connection, per_minute)
VALUES (:issue, :server, :answer, :times, :until, :per_connection, :per_minute)
ON CONFLICT (issue_id, server) DO UPDATE
SET answer = excluded.answer, times = excluded.times, until = excluded.until,
    per_connection = excluded.per_connection, per_minute = excluded.per_minute;

-- name: delays.delete_servers
-- Delete what is known about the mail servers of an issue.
DELETE FROM server_limits WHERE issue_id = :issue;

-- name: delays.next_server_at
-- Return when the first server that asked us to wait may be tried again.
SELECT min(until) FROM server_limits WHERE issue_id = :issue AND times > 0;
