"""Markdown posts in, Atom feeds and newsletters out, with one memory of what was published and sent."""

__version__ = "0.1.0"
