-- name: subscribers.page
-- Return the next subscribers in the order of their addresses, a row for each subscription; or one without any.
SELECT p.id, p.email, p.email_key, p.status, p.lang, p.timezone, p.consent, p.source, p.created_at, p.status_at,
    s.newsletter, s.topics
FROM subscribers p LEFT JOIN subscriptions s ON s.subscriber_id = p.id
WHERE p.email_key > :last AND p.email_key <= (SELECT max(email_key) FROM (
    SELECT x.email_key FROM subscribers x WHERE x.email_key > :last ORDER BY x.email_key LIMIT :most
) page)
ORDER BY p.email_key;

-- name: subscribers.page_with_status
-- Return the same of subscribers with a status.
SELECT p.id, p.email, p.email_key, p.status, p.lang, p.timezone, p.consent, p.source, p.created_at, p.status_at,
    s.newsletter, s.topics
FROM (
    SELECT * FROM subscribers WHERE email_key > :last AND status = :status ORDER BY email_key LIMIT :most
) p
LEFT JOIN subscriptions s ON s.subscriber_id = p.id ORDER BY p.email_key;

-- name: subscribers.page_of_newsletter
-- Return the same of subscribers of a newsletter: with a status, or all.
SELECT p.id, p.email, p.email_key, p.status, p.lang, p.timezone, p.consent, p.source, p.created_at, p.status_at,
    s.newsletter, s.topics
FROM (
    SELECT * FROM subscribers WHERE email_key > :last AND (CAST(:status AS TEXT) IS NULL OR status = :status)
        AND EXISTS (SELECT 1 FROM subscriptions x WHERE x.subscriber_id = subscribers.id AND x.newsletter = :newsletter)
    ORDER BY email_key LIMIT :most
) p
LEFT JOIN subscriptions s ON s.subscriber_id = p.id ORDER BY p.email_key;

-- name: subscribers.add
-- Add an active subscriber; return the id, which no one had before: links in letters name it.
INSERT INTO subscribers (id, email, email_key, domain, status, lang, timezone, consent, source, created_at, status_at)
VALUES (
    1 + max(coalesce((SELECT max(id) FROM subscribers), 0), coalesce((SELECT max(id) FROM erased_subscribers), 0)),
    :email, :key, :domain, 'active', :lang, :timezone, :consent, :source, :created_at, :at
)
RETURNING id;
