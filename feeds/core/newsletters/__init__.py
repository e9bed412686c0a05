"""Which posts in which issue, and the letter's words."""
