"""Readers that subscribed to the feed of another program show nothing new after the move.

`samples/moved/` has feeds that jekyll-feed 0.17 and Hugo 0.168 made of the posts below.
"""

import shutil

import pytest

from feeds.config import load_config
from feeds.jobs.publish import publish
from feeds.jobs.store.adopt_ids import adopt_ids
from tests.conftest import NOW, asked
from tests.readers.harness import HERE, subscriber_params

SAMPLES = HERE / "samples" / "moved"
CONFIG = """[site]
title = "Old blog"
url = "https://old.example/"
id_authority = "old.example,2026"
author = "The desk"
timezone = "{zone}"
[posts]
permalink = "{permalink}"
[feeds]
formats = ["atom", "rss"]
"""
JEKYLL = {
    "2024-03-03-post-03.md": 'title: "Post \\"number\\" 03 -- with \'quotes\'..."\ndate: 2024-03-03 10:00:00 +0900\n'
    "updated: 2024-09-01 10:00:00 +0900",
    "2024-05-05-post-05.md": 'title: "Post \\"number\\" 05 -- with \'quotes\'..."\ndate: 2024-05-05 10:00:00 +0900',
    "2024-08-01-日本語.md": "title: 日本語の題\ndate: 2024-08-01 10:00:00 +0900",
}
HUGO = {
    f"post-{n}.md": f'title: "Post <b>{n}</b> & more"\ndate: 2024-0{n}-01T10:00:00+02:00\n'
    f"lastmod: 2024-06-0{n}T10:00:00+02:00"
    for n in (1, 2, 3)
}
#: The old feed, the posts, time zone and addresses.
SITES = {
    "jekyll": ("jekyll-feed.xml", JEKYLL, "Asia/Tokyo", "/{year}/{month}/{day}/{slug}.html"),
    "hugo": ("hugo.xml", HUGO, "Europe/Berlin", "/posts/{stem}/"),
}


@pytest.fixture(params=SITES)
def moved(request, tmp_path):
    """A site that moved here: its config, and the feed of the former program."""
    old, posts, zone, permalink = SITES[request.param]
    (tmp_path / "posts").mkdir()
    for name, front in posts.items():
        (tmp_path / "posts" / name).write_text(f"---\n{front}\n---\n\nThe text of {name}, as it was.\n", "utf-8")
    (tmp_path / "feeds.toml").write_text(CONFIG.format(zone=zone, permalink=permalink), "utf-8")
    shutil.copyfile(SAMPLES / old, tmp_path / "old.xml")
    return load_config(tmp_path / "feeds.toml", {}), tmp_path / "old.xml"


def moved_feed(config, old, format_, *, adopt):
    """Publish, with the old ids if *adopt*; return our feed."""
    options, context = asked(NOW)
    if adopt:
        report = adopt_ids(config, [str(old)], NOW, context, dry_run=False)
        assert (len(report.adoptions), report.warnings) == (3, [])
    publish(config, options, context)
    return config.folder / "public" / "feeds" / f"{format_}.xml"


@pytest.mark.parametrize("format_", ["atom", "rss"])
@pytest.mark.parametrize("reader", subscriber_params())
def test_a_subscriber_sees_nothing_new_after_the_move(reader, format_, moved, tmp_path):
    """With adopted ids, a reader that has read the old feed shows nothing as unread in ours, in either format."""
    config, old = moved
    new = moved_feed(config, old, format_, adopt=True)
    assert reader.unread_after(old, new) == []


@pytest.mark.parametrize("reader", subscriber_params())
def test_without_the_old_ids_every_post_is_new(reader, moved):
    """Without adopted ids, each of the three posts is shown again: the test above can fail."""
    config, old = moved
    new = moved_feed(config, old, "atom", adopt=False)
    assert len(reader.unread_after(old, new)) == 3
