"""A folder of posts that no known generator builds."""

import re

from feeds.core.generators.site_files import SiteFacts, SiteFiles, read_cname

#: The files that are read.
FILES = re.compile("CNAME")
#: Where posts are looked for.
USUAL_POSTS = ("posts", "_posts", "content/posts", "content/blog", "content", "blog", "src/posts")


def read_settings(site: SiteFiles) -> SiteFacts:
    """Return where posts are, and the URL if GitHub Pages has it."""
    facts = site.new_facts()
    facts.set("posts.folder", next(filter(site.posts_below, USUAL_POSTS), None), "the folder that has posts")
    read_cname(site, facts)
    return facts
