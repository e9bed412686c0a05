-- name: subscribers.add
-- Add an active subscriber; return the id, which no one had before: links in letters name it.
INSERT INTO subscribers (email, email_key, domain, status, lang, timezone, consent, source, created_at, status_at)
VALUES (:email, :key, :domain, 'active', :lang, :timezone, :consent, :source, :created_at, :at)
RETURNING id;
