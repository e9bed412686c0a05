"""Which template languages and Markdown notations the posts of a site generator have.

Sources: "Shortcodes" and "Configure markup" of gohugo.io, "Shortcodes" of getzola.org, "Liquid" of jekyllrb.com, "Tag
Plugins" of hexo.io and the README of hexo-renderer-marked, "Template languages" of 11ty.dev, "Admonitions" of
docusaurus.io, "Linking to internal content" of docs.getpelican.com.
"""

from typing import Literal

#: `{{< x >}}` and `{{% x %}}`; `{{ x(a="b") }}` and `{% x() %}`; `{% x %}` and `{{ x }}`, also those of Hexo.
Language = Literal["hugo", "zola", "liquid"]

_ALL: frozenset[Language] = frozenset({"hugo", "zola", "liquid"})
_LANGUAGES: dict[str, frozenset[Language]] = {
    "auto": _ALL,
    "hugo": frozenset({"hugo"}),
    "zola": frozenset({"zola"}),
    "jekyll": frozenset({"liquid"}),
    "eleventy": frozenset({"liquid"}),
    "hexo": frozenset({"liquid"}),
}


def template_languages(generator: str) -> frozenset[Language]:
    """Return the template languages that a generator renders in posts; all of them if it is not known (`auto`)."""
    return _LANGUAGES.get(generator, frozenset())


def is_certain(generator: str) -> bool:
    """Return whether the generator is known, so that every `{{ x }}` of its language is a tag."""
    return generator != "auto"
