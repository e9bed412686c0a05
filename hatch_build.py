"""What a wheel holds beside the package: the templates and the sample site, in `feeds/shipped/`.

An editable install gets no copies: it reads the folders of the checkout (feeds/edges/shipped.py).
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Shipped(BuildHookInterface[Any]):
    """Adds them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say where each goes, unless the install is editable."""
        if version != "editable":
            for name in ("templates", "posts", "config.toml"):
                build_data["force_include"][name] = f"feeds/shipped/{name}"
