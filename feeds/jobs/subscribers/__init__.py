"""Add, remove, import and erase subscribers; process bounces."""
