"""The values that templates of letters have."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from feeds.core.newsletters.template_context import CorrectionView, LetterView, StoryGroup, StoryView

DOCS = (Path(__file__).parents[3] / "docs/templates.md").read_text("utf-8")


@pytest.mark.parametrize("view", [LetterView, StoryView, StoryGroup, CorrectionView])
def test_the_docs_name_every_value_of_a_letter(view):
    """`docs/templates.md` names each field that a template may use."""
    named = set(re.findall(r"`(\w+)`", DOCS.partition("### The values of a letter")[2]))
    assert {field.name for field in fields(view)} - named == set()
