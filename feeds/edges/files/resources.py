"""Files that come with the program: templates, and the sample site that `feeds init` copies.

A wheel carries them in `feeds/shipped/`; in a checkout, installed editable or not at all, they lie at the top.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parents[2]


def resource_folder() -> Path:
    """Return the folder that holds `templates/`, `posts/` and `config.toml`."""
    inside = _PACKAGE / "shipped"
    return inside if inside.is_dir() else _PACKAGE.parent
