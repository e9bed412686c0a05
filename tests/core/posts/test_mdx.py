"""MDX pages: Markdown with modules, comments and components."""

import re

import pytest
from msgspec.structs import replace

from feeds.settings import PostSettings
from tests.core.factory import SETTINGS, parsed, rendered


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


def settings_of(generator):
    return replace(SETTINGS, posts=PostSettings(generator=generator))


JSX = {
    "an import below": ("One.\n\nimport A, {b} from './a.mdx';\nimport './c.css';\n\nTwo.", "<p>One.</p><p>Two.</p>"),
    "an export below": ("One.\n\nexport const A = () => {\n  return 1;\n};\n\nTwo.", "<p>One.</p><p>Two.</p>"),
    "prose that begins like one": (
        "One.\n\nimport duties and\nexport taxes",
        "<p>One.</p><p>import duties andexport taxes</p>",
    ),
    "a fragment": ("<>\n\nOne.\n\n</>", "<p>One.</p>"),
    "attributes with expressions": (
        '<div style={{width: 40, a: {b: 1}}} className="c">\n\nOne.\n\n</div>',
        '<div className="c"><p>One.</p></div>',
    ),
    "a picture with a path": (
        '<img src={require("@site/static/a.png").default} alt={"Tide"} width={300} />',
        '<img src="/a.png" alt="Tide" />',
    ),
    "a component over lines": ('One <Tip\n  kind={{a: ">"}}\n  go={() => 1}\n>two</Tip>.', "<p>One two.</p>"),
    "a component with a film": (
        '<YouTube id="abc" lazy={true} />',
        '<iframe src="https://www.youtube.com/embed/abc"></iframe>',
    ),
    "a component without a text": ("One <Icon name={x} /> two.", "<p>One  two.</p>"),
    "an expression": ("One {props.a} two{' '}{'three'} {`four`}.", "<p>One  two three four.</p>"),
    "code": (
        "`{a}` and `<A b={c} />`\n\n```\n\nimport a from 'b'\n```",
        ("<p><code>{a}</code> and <code>&lt;A b={c} /&gt;</code></p><pre><code>import a from 'b'</code></pre>"),
    ),
    "an escaped brace": (r"One \{two}.", "<p>One {two}.</p>"),
}


@pytest.mark.parametrize("case", JSX.values(), ids=JSX)
@pytest.mark.parametrize("name", ["a.mdx", "a.md"])
def test_javascript_in_a_page_is_not_shown(case, name):
    """Modules, fragments and expressions are not shown anywhere in MDX and in the Markdown of Docusaurus."""
    body, html = case
    generator = "docusaurus" if name == "a.md" else "auto"
    text = rendered("title: A", body, f"2026-01-02-{name}", replace(SETTINGS, posts=PostSettings(generator=generator)))
    assert text.html.replace("\n", "") == html


@pytest.mark.parametrize(
    "line",
    ["import Tide from './tide.astro';", 'import {a, b} from "../c"', "import './d.css'", "import * as e from 'e';"],
)
def test_javascript_is_not_shown_if_the_first_line_imports_a_module(line):
    """In the Markdown of an unknown generator, JavaScript is not shown if the first line is an import."""
    body = f"{line}\n\nOne {{props.a}} two.\n\n<Tide at={{noon}}>\n\nThree.\n\n</Tide>\n\n`{{code}}`"
    found = rendered("title: A", body)
    assert found.html.replace("\n", "") == "<p>One  two.</p><p>Three.</p><p><code>{code}</code></p>"
    assert found.excerpt == "One two. Three. {code}"
    assert parsed("title: A", body).text_digest == parsed("title: A", body, settings=settings_of("none")).text_digest


@pytest.mark.parametrize("line", ["import duties from 'abroad' are high.", "`import a from 'b'`", "Import a from 'b'"])
def test_prose_about_imports_has_no_javascript(line):
    """A first line that only begins like an import is prose, and braces below it are text."""
    assert "{x}" in rendered("title: A", f"{line}\n\nOne {{x}}.").html


def test_braces_of_markdown_are_text():
    """In a `.md` file of another generator, braces and words such as `import` are text."""
    assert "{props.a}" in rendered("title: A", "One {props.a}.\n\nimport a from 'b'").html


@pytest.mark.parametrize(
    "body", ["{" * 200_000, "{a {" * 50_000, "<A b={" * 50_000, "<A " * 100_000, "\n\nimport {" * 50_000]
)
def test_unclosed_expressions_take_linear_time(body):
    """Unclosed expressions and tags are read in linear time; in quadratic time this test would not end."""
    assert parsed("title: A", body, path="2026-01-02-a.mdx").title == "A"
