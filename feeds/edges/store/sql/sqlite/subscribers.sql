-- name: subscribers.add
-- Add an active subscriber; return the id, which no one had before: links in letters name it.
INSERT INTO subscribers (id, email, email_key, domain, status, lang, timezone, consent, source, created_at, status_at)
VALUES (
    1 + max(coalesce((SELECT max(id) FROM subscribers), 0), coalesce((SELECT max(id) FROM erased_subscribers), 0)),
    :email, :key, :domain, 'active', :lang, :timezone, :consent, :source, :created_at, :at
)
RETURNING id;
