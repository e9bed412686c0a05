"""The build hook that adds the templates and the sample site to a wheel, in `feeds/shipped/`.

An editable install gets no copies; it reads the folders of the checkout (feeds/edges/files/resources.py).
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SampleSiteHook(BuildHookInterface[Any]):
    """Adds `templates/`, `posts/` and `config.toml`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Set the place of each in the wheel, unless the install is editable."""
        if version != "editable":
            for name in ("templates", "posts", "config.toml"):
                build_data["force_include"][name] = f"feeds/shipped/{name}"
