"""All posts together: duplicates, tags and categories, permanent ids, the catalogue of public entries."""
