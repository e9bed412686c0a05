-- name: subscriber_import.create_arrivals
-- Create the table of staged rows, one for each row of the list, and later one for each address.
CREATE TEMP TABLE IF NOT EXISTS arrivals (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    email TEXT NOT NULL,
    key TEXT NOT NULL,
    domain TEXT NOT NULL,
    -- Of the status: a higher one outweighs a lower one. Who has 2 or more is gone.
    weight INTEGER NOT NULL,
    lang TEXT,
    timezone TEXT,
    consent TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE,
    choice INTEGER NOT NULL,
    fate TEXT NOT NULL DEFAULT 'added',
    -- The subscriber who has this address, their status, and its weight.
    person BIGINT,
    was TEXT,
    was_weight INTEGER
);

-- name: subscriber_import.create_choices
-- Create the table of what rows subscribe to; rows that subscribe to the same have the same choice.
CREATE TEMP TABLE IF NOT EXISTS arrival_choices (
    choice INTEGER NOT NULL,
    newsletter TEXT NOT NULL,
    topics TEXT NOT NULL,
    PRIMARY KEY (choice, newsletter)
);

-- name: subscriber_import.create_digests
-- Create the table of the digests that the suppression list may have.
CREATE TEMP TABLE IF NOT EXISTS arrival_digests (arrival INTEGER NOT NULL, digest TEXT NOT NULL);

-- name: subscriber_import.create_repeats
-- Create the table of rows with an address that occurs again, the first one included.
CREATE TEMP TABLE IF NOT EXISTS arrival_repeats (
    first INTEGER NOT NULL,
    id INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    lang TEXT,
    timezone TEXT,
    created_at TIMESTAMP WITH TIME ZONE,
    choice INTEGER NOT NULL,
    PRIMARY KEY (first, id)
);

-- name: subscriber_import.create_repeated_choices
-- Create the table of the choices of addresses that occur again, numbered in the order of the list.
CREATE TEMP TABLE IF NOT EXISTS repeated_choices (
    turn INTEGER NOT NULL,
    first INTEGER NOT NULL,
    choice INTEGER NOT NULL,
    PRIMARY KEY (turn, first)
);

-- name: subscriber_import.create_joined_choices
-- Create the table of what two choices are together.
CREATE TEMP TABLE IF NOT EXISTS joined_choices (
    known INTEGER NOT NULL,
    added INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    PRIMARY KEY (known, added)
);

-- name: subscriber_import.create_joined_topics
-- Create the table of what two sets of topics are together, where that is more than the first.
CREATE TEMP TABLE IF NOT EXISTS joined_topics (
    known TEXT NOT NULL,
    added TEXT NOT NULL,
    joined TEXT NOT NULL,
    PRIMARY KEY (known, added)
);

-- name: subscriber_import.clear_arrivals
-- Delete the rows of an earlier import.
DELETE FROM arrivals;

-- name: subscriber_import.clear_choices
-- Delete the choices of an earlier import.
DELETE FROM arrival_choices;

-- name: subscriber_import.clear_digests
-- Delete the digests of an earlier import.
DELETE FROM arrival_digests;

-- name: subscriber_import.clear_repeats
-- Delete the repeated rows of an earlier import.
DELETE FROM arrival_repeats;

-- name: subscriber_import.clear_repeated_choices
-- Delete the repeated choices of an earlier import.
DELETE FROM repeated_choices;

-- name: subscriber_import.clear_joined_choices
-- Delete the joined choices.
DELETE FROM joined_choices;

-- name: subscriber_import.clear_joined_topics
-- Delete the joined topics of an earlier import.
DELETE FROM joined_topics;

-- name: subscriber_import.find_repeats
-- Copy the rows with an address that occurs more than once.
INSERT INTO arrival_repeats (first, id, weight, lang, timezone, created_at, choice)
SELECT f.first, a.id, a.weight, a.lang, a.timezone, a.created_at, a.choice
FROM (SELECT key, min(id) AS first FROM arrivals GROUP BY key HAVING count(*) > 1) f
JOIN arrivals a ON a.key = f.key;

-- name: subscriber_import.merge_repeats
-- Merge the rows of an address into its first one: the first values stay, the worst status counts.
UPDATE arrivals SET
    weight = (SELECT max(r.weight) FROM arrival_repeats r WHERE r.first = arrivals.id),
    lang = (SELECT r.lang FROM arrival_repeats r
        WHERE r.first = arrivals.id AND r.lang IS NOT NULL ORDER BY r.id LIMIT 1),
    timezone = (SELECT r.timezone FROM arrival_repeats r
        WHERE r.first = arrivals.id AND r.timezone IS NOT NULL ORDER BY r.id LIMIT 1),
    created_at = (SELECT r.created_at FROM arrival_repeats r
        WHERE r.first = arrivals.id AND r.created_at IS NOT NULL ORDER BY r.id LIMIT 1)
WHERE id IN (SELECT r.first FROM arrival_repeats r);

-- name: subscriber_import.delete_repeats
-- Delete the rows that were merged into another one.
DELETE FROM arrivals WHERE id IN (SELECT r.id FROM arrival_repeats r WHERE r.id != r.first);

-- name: subscriber_import.number_choices
-- Number the different choices of each address that occurs again, its first choice included.
INSERT INTO repeated_choices (turn, first, choice)
SELECT row_number() OVER (PARTITION BY r.first ORDER BY min(r.id)), r.first, r.choice
FROM arrival_repeats r GROUP BY r.first, r.choice;

-- name: subscriber_import.last_turn
-- Return how many different choices an address has at most.
SELECT coalesce(max(turn), 0) FROM repeated_choices;

-- name: subscriber_import.choice_pairs
-- Return each pair of choices that one turn joins.
SELECT DISTINCT a.choice, c.choice FROM repeated_choices c JOIN arrivals a ON a.id = c.first
WHERE c.turn = :turn AND c.choice != a.choice;

-- name: subscriber_import.choice
-- Return what a choice subscribes to.
SELECT newsletter, topics FROM arrival_choices WHERE choice = :choice;

-- name: subscriber_import.join_choices
-- Give each address what its choices are together, as far as this turn.
UPDATE arrivals SET choice = j.joined FROM repeated_choices c JOIN joined_choices j ON j.added = c.choice
WHERE c.turn = :turn AND c.first = arrivals.id AND j.known = arrivals.choice;

-- name: subscriber_import.find_known
-- Find the subscribers, and decide from both statuses what becomes of each.
UPDATE arrivals SET person = p.id, was = p.status,
    was_weight = CASE p.status WHEN 'pending' THEN 0 WHEN 'active' THEN 1 WHEN 'unsubscribed' THEN 2
        WHEN 'bounced' THEN 3 ELSE 4 END,
    fate = CASE
        WHEN p.status IN ('pending', 'active') THEN CASE WHEN arrivals.weight >= 2 THEN 'left' ELSE 'known' END
        ELSE CASE WHEN arrivals.weight >= 2 THEN 'gone' ELSE 'stays' END
    END
FROM subscribers p WHERE p.email_key = arrivals.key;

-- name: subscriber_import.hold_suppressed
-- Keep out who is on the suppression list.
UPDATE arrivals SET fate = 'held' WHERE fate IN ('added', 'known') AND id IN
    (SELECT d.arrival FROM arrival_digests d JOIN suppressions s ON s.digest = d.digest);

-- name: subscriber_import.topic_pairs
-- Return each pair of topics that a subscription has and gets, if they differ and neither means all.
SELECT DISTINCT s.topics, c.topics
FROM arrivals a
JOIN arrival_choices c ON c.choice = a.choice
JOIN subscriptions s ON s.subscriber_id = a.person AND s.newsletter = c.newsletter
WHERE a.fate = 'known' AND s.topics != c.topics AND s.topics != '[]' AND c.topics != '[]';

-- name: subscriber_import.find_new_values
-- Find the known subscribers who get another status, a language or a time zone.
UPDATE arrivals SET fate = 'merged' FROM subscribers p
WHERE p.id = arrivals.person AND arrivals.fate = 'known' AND (arrivals.weight > arrivals.was_weight
    OR (p.lang IS NULL AND arrivals.lang IS NOT NULL) OR (p.timezone IS NULL AND arrivals.timezone IS NOT NULL));

-- name: subscriber_import.find_new_topics
-- Find the other known subscribers who get topics.
UPDATE arrivals SET fate = 'merged' WHERE fate = 'known' AND id IN (
    SELECT a.id FROM arrivals a
    JOIN arrival_choices c ON c.choice = a.choice
    JOIN subscriptions s ON s.subscriber_id = a.person AND s.newsletter = c.newsletter
    JOIN joined_topics j ON j.known = s.topics AND j.added = c.topics
    WHERE a.fate = 'known'
);

-- name: subscriber_import.find_new_subscriptions
-- Find the other known subscribers who get a newsletter that they neither have nor have left.
UPDATE arrivals SET fate = 'merged' WHERE fate = 'known' AND id IN (
    SELECT a.id FROM arrivals a
    JOIN arrival_choices c ON c.choice = a.choice
    LEFT JOIN subscriptions s ON s.subscriber_id = a.person AND s.newsletter = c.newsletter
    LEFT JOIN leaves l ON l.subscriber_id = a.person AND l.newsletter = c.newsletter
    WHERE a.fate = 'known' AND s.subscriber_id IS NULL AND l.subscriber_id IS NULL
);

-- name: subscriber_import.count
-- Return how many have each fate and weight.
SELECT fate, weight, count(*) FROM arrivals GROUP BY fate, weight ORDER BY 3 DESC, 1, 2;

-- name: subscriber_import.last
-- Return the number of the last staged row.
SELECT coalesce(max(id), 0) FROM arrivals;

-- name: subscriber_import.cancel_pending
-- Cancel the pending deliveries of subscribers who are gone according to the list.
UPDATE deliveries SET state = 'cancelled', answer = 'cancelled: no longer subscribed'
WHERE state NOT IN ('sent', 'failed', 'cancelled')
    AND subscriber_id IN (SELECT person FROM arrivals WHERE fate = 'left');

-- name: subscriber_import.delete_moved
-- Forget that subscribers have moved to another address, if they become active.
DELETE FROM moved_subscribers WHERE subscriber_id IN
    (SELECT person FROM arrivals WHERE fate = 'merged' AND weight = 1 AND was_weight = 0);

-- name: subscriber_import.set_statuses
-- Store the statuses that outweigh those of subscribers.
UPDATE subscribers SET status_at = :at, status = CASE a.weight WHEN 0 THEN 'pending' WHEN 1 THEN 'active'
    WHEN 2 THEN 'unsubscribed' WHEN 3 THEN 'bounced' ELSE 'complained' END
FROM arrivals a
WHERE a.person = subscribers.id AND a.fate IN ('left', 'gone', 'merged') AND a.weight > a.was_weight;

-- name: subscriber_import.add_values
-- Add missing values to subscribers, and the consent.
UPDATE subscribers SET lang = coalesce(subscribers.lang, a.lang),
    timezone = coalesce(subscribers.timezone, a.timezone),
    consent = trim(subscribers.consent || '; ' || a.consent, '; ')
FROM arrivals a WHERE a.person = subscribers.id AND a.fate = 'merged';

-- name: subscriber_import.add_subscribers
-- Add the new subscribers; their ids are those of the rows, after the last one that was given.
INSERT INTO subscribers (id, email, email_key, domain, status, lang, timezone, consent, source, created_at, status_at)
SELECT :last_id + a.id, a.email, a.key, a.domain, CASE a.weight WHEN 0 THEN 'pending' WHEN 1 THEN 'active'
    WHEN 2 THEN 'unsubscribed' WHEN 3 THEN 'bounced' ELSE 'complained' END,
    a.lang, a.timezone, a.consent, :source, coalesce(a.created_at, :at), :at
FROM arrivals a WHERE a.fate = 'added';

-- name: subscriber_import.add_subscriptions
-- Subscribe new subscribers.
INSERT INTO subscriptions (subscriber_id, newsletter, topics)
SELECT :last_id + a.id, c.newsletter, c.topics
FROM arrivals a JOIN arrival_choices c ON c.choice = a.choice WHERE a.fate = 'added';

-- name: subscriber_import.add_missing_subscriptions
-- Subscribe known subscribers to what they do not have, and have not left.
INSERT INTO subscriptions (subscriber_id, newsletter, topics)
SELECT a.person, c.newsletter, c.topics
FROM arrivals a JOIN arrival_choices c ON c.choice = a.choice
WHERE a.fate = 'merged' AND NOT EXISTS
    (SELECT 1 FROM leaves l WHERE l.subscriber_id = a.person AND l.newsletter = c.newsletter)
ON CONFLICT (subscriber_id, newsletter) DO NOTHING;

-- name: subscriber_import.add_topics
-- Add topics to subscriptions of known subscribers.
UPDATE subscriptions SET topics = j.joined
FROM arrivals a JOIN arrival_choices c ON c.choice = a.choice JOIN joined_topics j ON j.added = c.topics
WHERE a.fate = 'merged' AND subscriptions.subscriber_id = a.person AND subscriptions.newsletter = c.newsletter
    AND subscriptions.topics = j.known;

-- name: subscriber_import.kept_out
-- Return who was not reactivated, in the order of the list.
SELECT number, email, CASE fate WHEN 'held' THEN '' ELSE was END FROM arrivals WHERE fate IN ('stays', 'held')
ORDER BY id;
