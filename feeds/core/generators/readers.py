"""The reader of each site generator's settings."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from feeds.core.generators import astro, docusaurus, eleventy, hexo, hugo, jekyll, pelican, plain, zola
from feeds.core.generators.site_files import SiteFacts, SiteFiles
from feeds.permalinks import GeneratorName


@dataclass(frozen=True, kw_only=True)
class SettingsReader:
    """How the settings of a generator are read."""

    #: The paths of the files whose texts are needed.
    files: re.Pattern[str]
    read: Callable[[SiteFiles], SiteFacts]
    #: Folders of posts, for a site that has none yet: the first one that exists is used, else the first.
    posts: tuple[str, ...]


def _reader(module: ModuleType, *posts: str) -> SettingsReader:
    return SettingsReader(files=module.FILES, read=module.read_settings, posts=posts)


_CONTENT = ("content/posts", "content/post", "content/blog", "content")
READERS: Mapping[GeneratorName, SettingsReader] = {
    "none": _reader(plain, *plain.USUAL_POSTS),
    "jekyll": _reader(jekyll, "_posts"),
    "hugo": _reader(hugo, *_CONTENT),
    "zola": _reader(zola, *_CONTENT),
    "eleventy": _reader(eleventy, "content/blog", "src/posts", "src/blog", "posts", "blog"),
    "hexo": _reader(hexo, "source/_posts"),
    "astro": _reader(astro, "src/content/blog", "src/content/posts", "src/pages/posts"),
    "docusaurus": _reader(docusaurus, "blog"),
    "pelican": _reader(pelican, "content"),
}
