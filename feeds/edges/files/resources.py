"""Files that come with the program: templates, and the sample site that `feeds init` copies.

They are in `feeds/shipped/` of a wheel, and at the top of a checkout.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parents[2]


def resource_folder() -> Path:
    """Return the folder with `templates/`, `posts/` and `config.toml`."""
    shipped = _PACKAGE / "shipped"
    return shipped if shipped.is_dir() else _PACKAGE.parent
