"""The boxes of task lists."""

from typing import Any


def put_boxes_beside_text(root: Any) -> None:
    """Move the box of each task into the paragraph after it, so that both are on one line.

    Items with empty lines between them have paragraphs, and comrak and others write the box before the first one.
    """
    for box in list(root.iter("input")):
        text = box.getnext()
        if text is None or text.tag != "p" or (box.tail or "").strip():
            continue
        box.tail = f" {(text.text or '').lstrip()}"
        text.text = None
        text.insert(0, box)
