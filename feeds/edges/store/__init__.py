"""The store: published entries and feeds, issues and deliveries, subscribers."""
