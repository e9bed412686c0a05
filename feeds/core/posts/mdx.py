"""MDX (Markdown with JavaScript and components) -> Markdown -> HTML, without running anything."""

import re

from feeds.core.posts import markdown

#: Modules that an MDX page imports or exports before its first paragraph.
_MODULES = re.compile(r"\s*(?:(?:import|export)\s(?:[^\n]+\n)+\s*)+")
#: Code, which may hold anything and so is matched first; comments, except the one that ends an excerpt (MDX 2 has no
#: HTML comments); components whose names are not element names to CommonMark, or are those of elements that hold no
#: Markdown (section 4.6, kind 1).
_NOT_MARKDOWN = re.compile(
    markdown.CODE + r"|{/\*(?!\s*truncate\s*\*/})(?:(?!{/\*).)*?\*/}"
    r"|(?P<tag>(?<!\\)</?)(?:Pre|Script|Style|Textarea|[A-Z]\w*(?:\.\w+)+)(?=[\s/>])",
    re.MULTILINE | re.DOTALL,
)
#: The tag of a component in HTML. Its name has a capital letter in JSX; in HTML `<Script />` would be an element.
_COMPONENT = re.compile(r"""</?[A-Z](?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""")


def to_markdown(mdx: str) -> str:
    """Return *mdx* without its comments and the imports and exports at its top; the tags of components stay."""
    modules = _MODULES.match(mdx)
    return _NOT_MARKDOWN.sub(_replace, mdx[modules.end() :] if modules else mdx)


def _replace(found: re.Match[str]) -> str:
    return found["code"] or (f"{found['tag']}Component" if found["tag"] else "")


def to_html(source: str, extra: markdown.Extensions) -> str:
    """Return the HTML of Markdown from `to_markdown`, without the tags of components; what they enclose stays."""
    return _COMPONENT.sub("", markdown.to_html(source, extra))
