"""What template tags can know of the post and the site that they are in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feeds.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class TagPage:
    """The post that has the tags."""

    settings: Settings
    #: The front matter.
    metadata: Mapping[str, Any]
    #: True for `index.md`: files in its folder have addresses below the post's.
    is_bundle: bool = False
    #: As it is written in the front matter or the path.
    date: str = ""
