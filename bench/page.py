"""Writes measured tables into bench/README.md, each between two HTML comments with its name."""

import sys
from pathlib import Path


def written(text: str, readme: Path, mark: str) -> None:
    """Replace the text between the two marks in the README.

    Raises:
        SystemExit: the README does not have these marks.
    """
    before, begin, rest = readme.read_text("utf-8").partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition(f"<!-- /{mark} -->")
    if not (begin and end):
        sys.exit(f"{readme} does not contain the marks <!-- {mark} --> and <!-- /{mark} -->")
    readme.write_text(f"{before}{begin}{text}{end}{after}", "utf-8")
