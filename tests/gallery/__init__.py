"""Letters in many languages, made to be looked at: `python -m tests.gallery FOLDER`.

Each folder below `posts/` has posts in one language. The newest is long and has every kind of content: nested lists, a
quotation, code, tables of four and of six columns, pictures, footnotes, a list of links and definitions.
"""
