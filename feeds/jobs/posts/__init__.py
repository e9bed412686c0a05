"""Read the posts folder; list and fix tags."""
