"""Notations that generators add to Markdown, as CommonMark or as options of comrak."""
