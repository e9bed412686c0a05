"""Print the entries that lemon24's reader keeps of a feed as JSON; a script, so that it can be stopped by a timeout."""

import json
import sys
from contextlib import closing

from reader import Entry, make_reader


def _entry_to_dict(entry: Entry) -> dict[str, object]:
    published = entry.published or entry.updated
    return {
        "id": entry.id,
        "title": entry.title or "",
        "link": entry.link or "",
        "published": published and published.isoformat(),
        "enclosures": [(it.href, it.type or "") for it in entry.enclosures],
        "authors": [it.name or "" for it in entry.authors],
        "content": entry.content[0].value if entry.content else entry.summary or "",
    }


def _read_entries(feed: str) -> list[dict[str, object]]:
    with closing(make_reader(":memory:", feed_root="")) as reader:
        reader.add_feed(feed)
        reader.update_feed(feed)
        return [_entry_to_dict(entry) for entry in reader.get_entries()]


json.dump(_read_entries(sys.argv[1]), sys.stdout)
