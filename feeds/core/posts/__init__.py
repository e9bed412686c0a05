"""One file: front matter, dates, Markdown, text."""
