"""Many posts: duplicates, repeated passages, tags, permanent ids, what is public."""
