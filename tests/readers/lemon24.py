"""Print the entries that lemon24's reader keeps of a feed as JSON; a script, so that it can be stopped by a timeout.

With a second feed, print the ids that are unread once all of the first was read and the second has taken its place.
"""

import json
import shutil
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


def _unread_entries(feed: str, new: str) -> list[str]:
    with closing(make_reader(":memory:", feed_root="")) as reader:
        reader.add_feed(feed)
        reader.update_feed(feed)
        for entry in list(reader.get_entries()):
            reader.mark_entry_as_read(entry)
        shutil.copyfile(new, feed)
        reader.update_feed(feed)
        return [entry.id for entry in reader.get_entries(read=False)]


json.dump((_unread_entries if sys.argv[2:] else _read_entries)(*sys.argv[1:]), sys.stdout)
