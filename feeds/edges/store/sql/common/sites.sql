-- name: sites.load
-- Return the site that the store is of.
SELECT id_authority, url FROM sites;

-- name: sites.save
-- Store the site that the store is of, or where it is now.
INSERT INTO sites (id_authority, url) VALUES (:id_authority, :url)
ON CONFLICT (id_authority) DO UPDATE SET url = excluded.url;
