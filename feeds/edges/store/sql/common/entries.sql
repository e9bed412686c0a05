-- name: entries.load
-- Return every entry that was ever public, in the order in which they were published.
SELECT id, path, text_digest, title, published, sketch, own_updated, shown_updated, replaced_by
FROM entries ORDER BY number;

-- name: entries.last_number
-- Return the number of the last entry.
SELECT coalesce(max(number), 0) FROM entries;

-- name: entries.add
-- Store a new entry.
INSERT INTO entries (number, id, path, text_digest, title, published, sketch, own_updated, shown_updated,
    first_public_at)
VALUES (:number, :id, :path, :text_digest, :title, :published, :sketch, :own_updated, :shown_updated, :at);

-- name: entries.change
-- Store the path and the text of an entry that has changed.
UPDATE entries SET path = :path, text_digest = :text_digest, title = :title, published = :published, sketch = :sketch
WHERE id = :id;

-- name: entries.add_version
-- Store the version of an entry that was shown until now.
INSERT INTO entry_history (entry_id, until, path, text_digest, title)
VALUES (:id, :until, :path, :text_digest, :title);

-- name: entries.replace_id
-- Store the id that replaces another one, and those that this one has replaced; return the ids that are affected.
UPDATE entries SET replaced_by = :new WHERE (id = :old OR replaced_by = :old) AND id != :new
    AND (replaced_by IS NULL OR replaced_by != :new)
RETURNING id, first_public_at;

-- name: entries.use_again
-- Store that an id is in use, also if it was replaced before; return it if it was.
UPDATE entries SET replaced_by = NULL WHERE id = :new AND replaced_by IS NOT NULL RETURNING id, first_public_at;

-- name: entries.set_replaced
-- Store the id that replaces that of a known entry; return the id if this is new.
UPDATE entries SET replaced_by = :new WHERE id = :id AND (replaced_by IS NULL OR replaced_by != :new)
RETURNING id, first_public_at;

-- name: entries.current_version
-- Return the present version of an entry, and since when it is public.
SELECT path, text_digest, title, first_public_at FROM entries WHERE id = :id;

-- name: entries.versions
-- Return the earlier versions of an entry, the oldest first.
SELECT until, path, text_digest, title FROM entry_history WHERE entry_id = :id ORDER BY id;

-- name: entries.ids_at
-- Return the ids of the entries that are, or once were, in a file, the present one first.
SELECT id, 1 FROM entries WHERE path = :path UNION SELECT entry_id, 0 FROM entry_history WHERE path = :path
ORDER BY 2 DESC, 1;

-- name: entries.ids
-- Return the ids of all entries.
SELECT id FROM entries;
