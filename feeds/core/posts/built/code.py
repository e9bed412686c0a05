"""Code in a built page: the code alone, without colours, numbers of lines and buttons."""

import re
from collections.abc import Iterator
from typing import Any

#: What Chroma, Pygments, Rouge, Prism, highlight.js, Shiki and Zola call the number of a line, and the column of them.
_NUMBER_CLASSES = frozenset(
    {"ln", "lnt", "lntd", "lineno", "linenos", "linenodiv", "line-number", "line-numbers-rows", "linenumber", "gutter"}
    | {"gl", "rouge-gutter", "hljs-ln-numbers", "hljs-ln-line", "giallo-ln", "codelinenumber", "ec-gutter"}
)
_NUMBERS = re.compile(r"[\d\s]*\Z")
_BLOCKS = frozenset({"div", "p", "li", "ol", "ul", "tr", "table", "tbody", "td", "th", "pre", "figure"})
#: What colours a word or groups lines.
_WITHOUT_MEANING = (
    "span",
    "font",
    "div",
    "p",
    "li",
    "ol",
    "ul",
    "table",
    "tbody",
    "tr",
    "td",
    "th",
    "label",
    "pre",
    "code",
)
_LANGUAGE = re.compile(r"(?:language|lang|highlight-source)-([\w+#.-]+)\Z")
_NO_LANGUAGE = frozenset({"text", "plaintext", "plain", "txt", "none", "fallback", "plain_text"})
#: Where the language may be: the elements around the code.
_LEVELS = 4


def simplify_code(root: Any) -> None:
    """Replace each block of code below *root* with `<pre><code>` and its text."""
    for table in list(root.iter("table")):
        if table.getparent() is not None and (code := _numbered_code(table)) is not None:
            _replace(_outermost(table), code)
    for block in list(root.iter("pre")):
        if block.getparent() is not None:
            _simplify(block)
    for code in root.iter("code"):
        for span in list(code.iter("span", "font")):
            span.drop_tag()


def _outermost(table: Any) -> Any:
    """Return the `pre` or `figure` that holds nothing but a table of code; the table itself without one."""
    outer = table
    for above in table.iterancestors("pre", "figure"):
        outer = above
    return outer


def _numbered_code(table: Any) -> Any | None:
    """Return the `pre` of a table of which one column numbers the lines; None for any other table."""
    rows = [list(row.iterchildren("td", "th")) for row in table.iter("tr")]
    is_code = table.find(".//pre") is not None or next(table.iterancestors("pre"), None) is not None
    if not (is_code and rows) or not all(len(row) == 2 and _is_number(row[0]) for row in rows):  # noqa: PLR2004 - cells
        return None
    pre = _new_pre(_language(table))
    for _, line in rows:
        line.tag = "div"  # it begins a new line
        line.tail = None
        pre[0].append(line)
    return pre


def _is_number(cell: Any) -> bool:
    text = "".join(cell.itertext())
    return bool(text.strip()) and _NUMBERS.match(text) is not None


def _new_pre(language: str) -> Any:
    """Return an empty `pre` with `code` in a language."""
    from lxml.html import fragment_fromstring

    pre = fragment_fromstring("<pre><code></code></pre>")
    if language:
        pre[0].set("class", f"language-{language}")
    return pre


def _replace(old: Any, new: Any) -> None:
    new.tail = old.tail
    old.getparent().replace(old, new)


def _simplify(block: Any) -> None:
    """Leave only code and its language of a `pre`."""
    language, is_code = _language(block), next(block.iter("code"), None) is not None
    for part in list(_parts_without_code(block)):
        part.drop_tree()
    for part in list(block.iterdescendants("br")):
        part.tail = f"\n{part.tail or ''}"
        part.drop_tree()
    for part in list(block.iterdescendants(*_WITHOUT_MEANING)):
        if part.tag in _BLOCKS:
            _break_before(part)
        part.drop_tag()
    block.attrib.clear()
    if is_code or language:
        _enclose(block, _new_pre(language)[0])


def _enclose(block: Any, code: Any) -> None:
    """Put all that is in *block* into *code*, and that into *block*."""
    code.text, block.text = block.text, None
    code.extend(list(block))
    block.append(code)


def _parts_without_code(block: Any) -> Iterator[Any]:
    """Yield numbers of lines, buttons, and links that lead to a line."""
    for element in block.iterdescendants():
        if not isinstance(element.tag, str):
            continue
        is_empty_link = element.tag == "a" and not "".join(element.itertext()).strip()
        if element.tag in {"button", "svg"} or is_empty_link or is_line_number(element):
            yield element


def is_line_number(element: Any) -> bool:
    """Return whether an element holds the number of a line of code, or a column of them."""
    classes = {name.lower().partition("_")[0] for name in element.get("class", "").split()}
    return not _NUMBER_CLASSES.isdisjoint(classes) and _NUMBERS.match("".join(element.itertext())) is not None


def _break_before(part: Any) -> None:
    """Begin a new line where a block begins, unless one begins there."""
    before = part.getprevious()
    text = part.getparent().text if before is None else before.tail or "".join(before.itertext())
    if text and not text.endswith("\n"):
        part.text = f"\n{part.text or ''}"


def _language(block: Any) -> str:
    """Return the language of code, as the elements around it name it; empty if they do not."""
    around = [*block.iterdescendants("code", "pre"), block, *list(block.iterancestors())[:_LEVELS]]
    found = next(filter(None, map(_own_language, around)), "")
    return "" if found in _NO_LANGUAGE else found


def _own_language(element: Any) -> str:
    names = element.get("class", "").split()
    found = next((match[1] for name in names if (match := _LANGUAGE.match(name))), "")
    declared = element.get("data-lang") or element.get("data-language") or ""
    is_hexo = element.tag == "figure" and len(names) > 1 and names[0] == "highlight"
    written = found or declared or (names[1] if is_hexo else "")
    return str(written).strip().lower() if re.fullmatch(r"[\w+#.-]*", str(written).strip()) else ""
