-- name: sites.load
-- Return the site that the store is of.
SELECT id_authority, url FROM sites;

-- name: sites.save
-- Store the site that the store is of, and whether its URL has http or https now.
INSERT INTO sites (id_authority, url) VALUES (:id_authority, :url)
ON CONFLICT (id_authority) DO UPDATE SET url = excluded.url;

-- name: sites.replace
-- Let the store be of another site.
UPDATE sites SET id_authority = :id_authority, url = :url;
