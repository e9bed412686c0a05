"""Summarise an issue for the list of all issues, from its entry in the newsletter's feed."""

from feeds.core.posts.text import clean_line, parse_html, shorten, text_blocks


def summarize(entry: str) -> tuple[str, tuple[str, str] | None]:
    """Return the excerpt of an issue, and URL and alternative text of its first picture, if it has one.

    *entry* is HTML that any version of the program or of the site's templates may have made, or empty.
    """
    if not entry:
        return "", None
    excerpt = next((text for name, text in text_blocks(entry) if name == "p" and clean_line(text)), "")
    image = parse_html(entry).find(".//img[@src]")
    return shorten(clean_line(excerpt)), None if image is None else (image.get("src"), image.get("alt", ""))
