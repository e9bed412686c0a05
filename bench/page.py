"""Figures in a page: each measurement's table stands between marks of its name."""

import sys
from pathlib import Path


def written(text: str, readme: Path, mark: str) -> None:
    """Put what was measured between the marks of this name in the README.

    Raises:
        SystemExit: it has none.
    """
    before, begin, rest = readme.read_text("utf-8").partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition(f"<!-- /{mark} -->")
    if not (begin and end):
        sys.exit(f"{readme} has no place for it: <!-- {mark} --> and <!-- /{mark} -->")
    readme.write_text(f"{before}{begin}{text}{end}{after}", "utf-8")
