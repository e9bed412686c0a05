-- name: feeds.load
-- Return every feed that was ever published, in the order of their folders.
SELECT kind, key, id, folder, label, updated, former FROM feeds ORDER BY folder;

-- name: feeds.delete
-- Delete a feed, and the feed that had its folder under another name.
DELETE FROM feeds WHERE (kind = :kind AND key = :key) OR folder = :folder;

-- name: feeds.add
-- Store a feed.
INSERT INTO feeds (kind, key, id, folder, label, updated, former)
VALUES (:kind, :key, :id, :folder, :label, :updated, :former);

-- name: feeds.load_archive_pages
-- Return every archive page, a feed's oldest first.
SELECT kind, key, number, size, entries FROM archive_pages ORDER BY kind, key, number;

-- name: feeds.save_archive_page
-- Store an archive page instead of its last version.
INSERT INTO archive_pages (kind, key, number, size, entries) VALUES (:kind, :key, :number, :size, :entries)
ON CONFLICT (kind, key, number) DO UPDATE SET size = excluded.size, entries = excluded.entries;

-- name: feeds.is_undeployed
-- Return 1 if files may have changed since the last deployment.
SELECT 1 FROM undeployed;

-- name: feeds.mark_undeployed
-- Record since when files may have changed.
INSERT INTO undeployed (since) VALUES (:since);

-- name: feeds.mark_deployed
-- Record that everything is deployed.
DELETE FROM undeployed;

-- name: feeds.load_retired
-- Return the retired folders and documents.
SELECT path FROM retired;

-- name: feeds.retire
-- Record that a folder or a document is retired, unless it is already.
INSERT INTO retired (path, at) VALUES (:path, :at) ON CONFLICT (path) DO NOTHING;

-- name: feeds.unretire
-- Delete a retired path.
DELETE FROM retired WHERE path = :path;

-- name: feeds.delete_pings_below
-- Delete the pings of the documents in a folder, or of one document.
DELETE FROM pings WHERE substr(path, 1, length(:path)) = :path;

-- name: feeds.load_pings
-- Return the pending pings, the oldest first.
SELECT path, since, tries, next_at FROM pings ORDER BY since, path;

-- name: feeds.expect_ping
-- Add a ping that is due at once, unless the document has one.
INSERT INTO pings (path, since, tries, next_at) VALUES (:path, :now, 0, :now) ON CONFLICT (path) DO NOTHING;

-- name: feeds.reset_ping
-- Restart a ping.
UPDATE pings SET since = :now, tries = 0, next_at = :now WHERE path = :path;

-- name: feeds.clear_ping
-- Delete a ping.
DELETE FROM pings WHERE path = :path;

-- name: feeds.save_ping
-- Store a ping instead of its last state.
INSERT INTO pings (path, since, tries, next_at) VALUES (:path, :since, :tries, :next_at)
ON CONFLICT (path) DO UPDATE SET since = excluded.since, tries = excluded.tries, next_at = excluded.next_at;
