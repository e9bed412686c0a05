"""Newsletters: select posts, render letters, build and sign messages, check them."""
