"""One post file: front matter, dates, repeated passages, Markdown, plain text."""
