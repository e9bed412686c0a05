"""The letters of the gallery: a digest and a whole post from each folder of posts."""

import tomllib
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cached_property
from pathlib import Path

from feeds.config import load_config
from feeds.jobs.publish import publish
from feeds.jobs.subscribers import subscribe
from tests.conftest import NOW, asked
from tests.gallery.drawings import draw_all

POSTS = Path(__file__).parent / "posts"
LANGUAGES = ("en", "de", "pt-BR", "ja", "zh-Hans", "ko", "hi", "ar", "fa", "he")
TEMPLATES = ("digest", "letter")
_SITE = """[site]
title = "{title}"
url = "https://example.com/"
language = "{lang}"
timezone = "UTC"
[posts]
folder = "{posts}"
[feeds]
formats = ["atom"]
[mail]
from = "{title} <letters@example.com>"
reply_to = "desk@example.com"
address = "1 Harbour Lane, Example"
[web]
url = "https://letters.example.com/"
"""
_NEWSLETTER = """[[newsletters]]
name = "{template}"
title = "{title}"
schedule = "0 8 * * mon"
template = "{template}"
max_age = "9000 days"
sponsor = "{sponsor}"
"""
_WORDS = tomllib.loads(Path(__file__).with_name("newsletters.toml").read_text("utf-8"))


@dataclass(frozen=True, kw_only=True)
class GalleryLetter:
    """One letter as it was sent."""

    #: Such as `ja-digest`.
    name: str
    #: Of its posts (BCP 47).
    lang: str
    raw: bytes

    @cached_property
    def _parts(self) -> tuple[str, str]:
        text, html = message_from_bytes(self.raw, policy=policy.default).iter_parts()
        return text.get_content(), html.get_content()

    @property
    def text(self) -> str:
        return self._parts[0]

    @property
    def html(self) -> str:
        return self._parts[1]


def own_letters(folder: Path) -> list[GalleryLetter]:
    """Return the letters made from our own posts: both templates, each language."""
    return [letter for lang in LANGUAGES for letter in publish_letters(lang, lang, POSTS / lang, folder / lang)]


def publish_letters(name: str, lang: str, posts: Path, folder: Path) -> list[GalleryLetter]:
    """Publish *posts* in *folder*; return a digest and a letter, named after *name*. *posts* is only read."""
    words = _WORDS[lang]
    draw_all(folder / "static" / "pictures")
    site = _SITE.format(title=words["title"], lang=lang, posts=posts.resolve().as_posix())
    letters = "".join(_NEWSLETTER.format(template=one, **words) for one in TEMPLATES)
    (folder / "config.toml").write_text(site + letters, "utf-8")
    for template in TEMPLATES:
        (folder / "letters" / template).mkdir(parents=True)
        (folder / "letters" / template / "next.md").write_text(words["note"] + "\n", "utf-8")
    config = load_config(folder / "config.toml", {})
    subscribe.add_subscriber(config, "reader@example.org", TEMPLATES, lang=None, now=NOW, again=False)
    publish(config, *asked(NOW))
    outbox = folder / ".feeds" / "outbox"
    sent = {template: next((outbox / template).rglob("*.eml")).read_bytes() for template in TEMPLATES}
    return [GalleryLetter(name=f"{name}-{template}", lang=lang, raw=raw) for template, raw in sent.items()]
