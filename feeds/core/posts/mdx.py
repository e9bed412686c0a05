"""MDX (Markdown with JavaScript and components) -> Markdown -> HTML, without running anything."""

import re
from html import escape

from feeds.core.posts import markdown
from feeds.core.posts.tags import fragments
from feeds.core.posts.tags.tokens import replace_outside_code, without

#: Modules that an MDX page imports or exports before its first paragraph.
_MODULES = re.compile(r"\s*(?:(?:import|export)\s(?:[^\n]+\n)+\s*)+")
#: A first line that is not prose.
_IMPORT = re.compile(r"\s*import\s+(?:[\w*{][^\n]*\sfrom\s+)?(?P<quote>[\"'])[^\"'\s]+(?P=quote);?[ \t]*(?:\n|\Z)")
#: A module below the first paragraph: behind a blank line, up to one.
_LATER_MODULE = re.compile(
    r"(?:(?<=\n\n)|\A)(?:import\s(?:[^\n]*\sfrom\s*)?[\"'][^\n]*|import\s[{*][^\n]*|export\s+(?:default|const|let|var|async|function|class|"
    r"[{*])[^\n]*)(?:\n[^\n]+)*\n?"
)
#: An expression, up to four deep.
_EXPRESSION = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*+\})*+\}"
_ATTRIBUTE = rf"\s+(?:[\w:.-]+(?:\s*=\s*(?:\"[^\"]*+\"|'[^']*+'|{_EXPRESSION}))?+|{_EXPRESSION})"
#: A tag with an expression among its attributes, which CommonMark does not take for a tag; a fragment; an expression.
_JSX = re.compile(
    rf"<(?P<name>[A-Za-z][\w.]*)(?P<attributes>(?:{_ATTRIBUTE})+)\s*(?P<empty>/?)>|</?>"
    rf"|(?<!\\)(?P<expression>{_EXPRESSION})"
)
_EACH_ATTRIBUTE = re.compile(
    rf"(?P<name>[\w:.-]+)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<value>{_EXPRESSION}))"
)
_LITERAL = re.compile(r"\{\s*(?:\"([^\"\\]*)\"|'([^'\\]*)'|`([^`$\\]*)`)\s*\}")
#: The path in `require('./a.png').default` and `useBaseUrl('/a.png')`.
_PATH_IN_CALL = re.compile(r"\{\s*(?:require|useBaseUrl)\(\s*[\"']([^\"'()]+)[\"']\s*\)(?:\.default)?\s*\}")
#: The comment that ends an excerpt, and the id of a heading, are not expressions.
_KEPT = re.compile(r"\{(?:/\*\s*truncate\s*\*/|#[^\s{}]+)\}")
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


def begins_with_import(source: str) -> bool:
    """Return whether Markdown is surely MDX: its first line imports a module."""
    return _IMPORT.match(source) is not None


def to_markdown(mdx: str) -> str:
    """Return *mdx* without comments, imports, exports and expressions; the tags of components stay."""
    modules = _MODULES.match(mdx)
    source = _NOT_MARKDOWN.sub(_replace, mdx[modules.end() :] if modules else mdx)
    if "{" not in source and "<>" not in source and "import" not in source and "export" not in source:
        return source
    for pattern, replacement in (_LATER_MODULE, without), (_JSX, _replace_jsx):
        source = replace_outside_code(pattern, replacement, source)
    return source


def _replace_jsx(found: re.Match[str]) -> str:
    """Return a tag whose attributes have no expressions, or the text of an expression."""
    if found["expression"]:
        return found[0] if _KEPT.fullmatch(found[0]) else _literal(found[0]) or ""
    name = found["name"]
    if not name:
        return ""
    values = {one["name"]: _value(one) for one in _EACH_ATTRIBUTE.finditer(found["attributes"])}
    given = {key: value for key, value in values.items() if value is not None}
    if name[0].isupper() and found["empty"]:
        return fragments.guess(name, given, is_bundle=True) or ""
    if "{" not in found["attributes"]:
        return found[0]
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    return f"<{name}{attributes}{' /' if found['empty'] else ''}>"


def _value(found: re.Match[str]) -> str | None:
    """Return the value of an attribute; None for an expression that is more than a text or path."""
    if found["value"] is None:
        return found["double"] if found["double"] is not None else found["single"]
    return _literal(found["value"])


def _literal(expression: str) -> str | None:
    found = _LITERAL.fullmatch(expression) or _PATH_IN_CALL.fullmatch(expression)
    return next((part for part in found.groups() if part is not None), "") if found else None


def _replace(found: re.Match[str]) -> str:
    return found["code"] or (f"{found['tag']}Component" if found["tag"] else "")


def to_html(source: str, extra: markdown.Extensions) -> str:
    """Return the HTML of Markdown from `to_markdown`, without the tags of components; what they enclose stays."""
    return _COMPONENT.sub("", markdown.to_html(source, extra))
