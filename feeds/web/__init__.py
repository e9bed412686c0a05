"""The other door: requests -> one job -> a page."""
