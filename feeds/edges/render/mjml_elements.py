"""The elements of MJML (https://documentation.mjml.io/), their parents and their attributes.

mrml, which compiles our letters, drops or copies anything else without an error.
"""

_PADDING = ("padding", *(f"padding-{side}" for side in ("top", "right", "bottom", "left")))
_BORDER = ("border", *(f"border-{side}" for side in ("top", "right", "bottom", "left")), "border-radius")
_INNER_BORDER = tuple(f"inner-{name}" for name in _BORDER)
_FONT = ("color", "font-family", "font-size", "font-style", "font-weight", "line-height", "letter-spacing")
_WORDS = (*_FONT, "text-decoration", "text-transform")
_BLOCK = ("align", "container-background-color", *_PADDING)
_BACKGROUND = (
    *("background-color", "background-url", "background-repeat", "background-size", "background-position"),
    *("background-position-x", "background-position-y"),
)
_BAND = (*_BACKGROUND, *_BORDER, *_PADDING, "direction", "full-width", "gap", "text-align", "text-padding")
#: Attributes of any element.
_EVERYWHERE = frozenset({"css-class", "mj-class", "lang", "dir", "id"})
CONTENT = frozenset(
    {"mj-text", "mj-image", "mj-button", "mj-divider", "mj-spacer", "mj-table", "mj-social", "mj-navbar", "mj-raw"}
    | {"mj-accordion", "mj-carousel"},
)
#: The allowed parents of each element of MJML.
PARENTS: dict[str, frozenset[str]] = {
    "mjml": frozenset({""}),
    "mj-head": frozenset({"mjml"}),
    "mj-body": frozenset({"mjml"}),
    **dict.fromkeys(
        ("mj-attributes", "mj-breakpoint", "mj-font", "mj-html-attributes", "mj-preview", "mj-style", "mj-title"),
        frozenset({"mj-head"}),
    ),
    **dict.fromkeys(("mj-all", "mj-class"), frozenset({"mj-attributes"})),
    "mj-wrapper": frozenset({"mj-body"}),
    "mj-section": frozenset({"mj-body", "mj-wrapper"}),
    "mj-hero": frozenset({"mj-body", "mj-wrapper"}),
    "mj-group": frozenset({"mj-section"}),
    "mj-column": frozenset({"mj-section", "mj-group"}),
    **dict.fromkeys(CONTENT, frozenset({"mj-column", "mj-hero"})),
    "mj-raw": frozenset({"mj-head", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"}),
    "mj-social-element": frozenset({"mj-social"}),
    "mj-navbar-link": frozenset({"mj-navbar"}),
    "mj-carousel-image": frozenset({"mj-carousel"}),
    "mj-accordion-element": frozenset({"mj-accordion"}),
    **dict.fromkeys(("mj-accordion-title", "mj-accordion-text"), frozenset({"mj-accordion-element"})),
}
#: Elements that contain HTML or text.
OPAQUE = frozenset(
    {"mj-text", "mj-button", "mj-table", "mj-raw", "mj-style", "mj-title", "mj-preview", "mj-social-element"}
    | {"mj-navbar-link", "mj-accordion-title", "mj-accordion-text"},
)
#: Elements that may be in a letter only once.
ONCE = frozenset({"mjml", "mj-head", "mj-body", "mj-title", "mj-preview", "mj-breakpoint"})
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "mjml": ("owa",),
    "mj-breakpoint": ("width",),
    "mj-font": ("name", "href"),
    "mj-style": ("inline",),
    "mj-class": ("name",),
    "mj-body": ("background-color", "width"),
    "mj-raw": ("position",),
    "mj-wrapper": _BAND,
    "mj-section": _BAND,
    "mj-hero": (
        *(*_BACKGROUND, *_PADDING, "align", "background-height", "background-width", "border-radius", "height", "mode"),
        *("inner-background-color", "vertical-align", "width"),
    ),
    "mj-group": ("background-color", "direction", "vertical-align", "width"),
    "mj-column": (
        *("background-color", *_BORDER, "direction", "inner-background-color", *_INNER_BORDER, *_PADDING),
        *("vertical-align", "width"),
    ),
    "mj-text": (*_BLOCK, *_WORDS, "background-color", "height", "vertical-align"),
    "mj-image": (
        *(*_BLOCK, *_BORDER, "alt", "fluid-on-mobile", "font-size", "height", "href", "max-height", "name", "rel"),
        *("sizes", "src", "srcset", "target", "title", "usemap", "width"),
    ),
    "mj-button": (
        *(*_BLOCK, *_BORDER, *_WORDS, "background-color", "height", "href", "inner-padding", "name", "rel", "target"),
        *("text-align", "title", "vertical-align", "width"),
    ),
    "mj-divider": (*_BLOCK, "border-color", "border-style", "border-width", "width"),
    "mj-spacer": (*_BLOCK, "height"),
    "mj-table": (
        *(*_BLOCK, *_FONT, "border", "cellpadding", "cellspacing", "role", "table-layout", "vertical-align", "width"),
    ),
    "mj-social": (
        *(*_BLOCK, *_WORDS, "border-radius", "icon-height", "icon-padding", "icon-size", "inner-padding", "mode"),
        *("table-layout", "text-padding"),
    ),
    "mj-social-element": (
        *(*_BLOCK, *_WORDS, "alt", "background-color", "border-radius", "href", "icon-height", "icon-padding"),
        *("icon-position", "icon-size", "name", "rel", "sizes", "src", "srcset", "target", "text-padding", "title"),
        "vertical-align",
    ),
    "mj-navbar": (
        *(
            "align",
            "base-url",
            "hamburger",
            *(f"ico-{name}" for name in (*_WORDS, *_PADDING, "align", "close", "open")),
        ),
    ),
    "mj-navbar-link": (*_WORDS, *_PADDING, "href", "name", "rel", "target", "title"),
    "mj-accordion": (
        *("border", "container-background-color", "font-family", "icon-align", "icon-height", "icon-position"),
        *("icon-unwrapped-alt", "icon-unwrapped-url", "icon-width", "icon-wrapped-alt", "icon-wrapped-url", *_PADDING),
    ),
    "mj-accordion-element": (
        *("background-color", "border", "font-family", "icon-align", "icon-height", "icon-position", "icon-width"),
        *("icon-unwrapped-alt", "icon-unwrapped-url", "icon-wrapped-alt", "icon-wrapped-url"),
    ),
    "mj-accordion-title": (*_FONT, *_PADDING, "background-color"),
    "mj-accordion-text": (*_FONT, *_PADDING, "background-color"),
    "mj-carousel": (
        *("align", "border-radius", "container-background-color", "icon-width", "left-icon", "right-icon", *_PADDING),
        *(
            "tb-border",
            "tb-border-radius",
            "tb-hover-border-color",
            "tb-selected-border-color",
            "tb-width",
            "thumbnails",
        ),
    ),
    "mj-carousel-image": (
        "alt",
        "border-radius",
        "href",
        "rel",
        "src",
        "target",
        "tb-border",
        "thumbnails-src",
        "title",
    ),
}


def attributes(element: str) -> frozenset[str]:
    """Return the attributes that an element may have."""
    return frozenset(_ATTRIBUTES.get(element, ())) | _EVERYWHERE


def defaults() -> frozenset[str]:
    """Return the attributes that may be in `mj-attributes`: those of all elements."""
    return frozenset(name for names in _ATTRIBUTES.values() for name in names) | _EVERYWHERE
