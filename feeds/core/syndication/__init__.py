"""Which posts in which feed, and the feeds' bytes."""
