"""MDX pages: Markdown with modules, comments and components."""

import re

import pytest

from tests.core.factory import parsed, rendered


def test_the_modules_of_an_mdx_page_are_removed():
    """Imports and exports at the top of an MDX page are removed."""
    text = rendered("title: A", "\nimport A from 'a';\nexport const b = 1;\n\nHello.\n", path="2026-01-02-a.mdx")
    assert text.html == "<p>Hello.</p>\n"


def test_the_comments_of_an_mdx_page_are_removed():
    """MDX comments outside of code are removed, `{/* truncate */}` ends the excerpt, text in components stays."""
    body = (
        "First.\n\n{/* truncate */}\n\n{/* gone\n\ngone */}\n\n```jsx\n{/* kept */}\n```\n\n"
        "`{/* kept */}` {/* gone */}here.\n\n<Tabs>\n\nInside.\n\n</Tabs>\n"
    )
    text = rendered("title: A", body, path="2026-01-02-a.mdx")
    assert (text.excerpt, text.html.count("kept"), text.html.count("gone")) == ("First.", 2, 0)
    assert "truncate" not in text.html
    assert "<p>Inside.</p>" in text.html


@pytest.mark.parametrize("name", ["Script", "Style", "Pre", "Title", "Textarea", "Head", "Image", "Tabs", "Tabs.Item"])
def test_a_component_of_an_mdx_page_swallows_no_text(name):
    """The text around and in a component stays, even if its name is that of an HTML element without visible text."""
    body = f'One.\n\n<{name} />\n\nTwo.\n\n<{name} about="a > b">\n\nThree.\n\n</{name}>\n\n`<{name}>`\n'
    text = rendered("title: A", body, path="2026-01-02-a.mdx")
    assert re.sub(r"\s+", "", text.html) == (f"<p>One.</p><p>Two.</p><p>Three.</p><p><code>&lt;{name}&gt;</code></p>")


def test_parsing_an_mdx_page_takes_linear_time():
    """Unclosed code and comments are parsed in linear time; in quadratic time this test would not end."""
    body = "{/* x\n x" + "`" * 300_000 + "a" * 300_000 + "{/*" * 300_000 + "<A '" * 10_000
    assert parsed("title: A", body, path="2026-01-02-a.mdx").title == "A"
