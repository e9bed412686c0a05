"""Draws a bar chart of measured figures as SVG, for light and dark colour schemes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jinja2

_BAR, _GAP, _GROUP, _LEFT, _WIDTH = 16, 4, 26, 300, 780

_SVG = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" role="img" aria-labelledby="t d">
  <title id="t">{{ title }}</title>
  <desc id="d">{% for bar in bars %}{{ bar.group }}, {{ bar.name }}: {{ bar.said }}. {% endfor %}</desc>
  <style>
    text { font: 12px system-ui, sans-serif; fill: #1f2328 } .ours { fill: #0b6e4f } .theirs { fill: #8a8f98 }
    @media (prefers-color-scheme: dark) { text { fill: #e6e6e6 } .ours { fill: #4cc79a } .theirs { fill: #9aa0a8 } }
  </style>
  {% for group in groups %}
  <text x="0" y="{{ group.y }}" font-weight="600">{{ group.label }}</text>
  {% endfor %}
  {% for bar in bars %}
  <text x="{{ left - 8 }}" y="{{ bar.y + 12 }}" text-anchor="end">{{ bar.name }}</text>
  <rect class="{{ bar.whose }}" x="{{ left }}" y="{{ bar.y }}" width="{{ bar.width }}" height="16" rx="2"/>
  <text x="{{ left + bar.width + 6 }}" y="{{ bar.y + 12 }}">{{ bar.said }}</text>
  {% endfor %}
</svg>
""")


@dataclass(frozen=True)
class Bar:
    """A bar of the chart."""

    name: str
    value: float
    #: The label of the bar, such as "0.50 s".
    said: str
    is_ours: bool


def drawn(title: str, groups: Mapping[str, Sequence[Bar]]) -> str:
    """Return the chart as SVG; the length of a bar is relative to the longest bar of its group."""
    bars: list[dict[str, object]] = []
    labels: list[dict[str, object]] = []
    y = 0
    for label, shown in groups.items():
        y += _GROUP
        labels.append({"y": y - 8, "label": label})
        longest = max(bar.value for bar in shown)
        for bar in shown:
            width = max(1, round((_WIDTH - _LEFT - 110) * bar.value / longest))
            about = {"y": y, "name": bar.name, "said": bar.said, "width": width, "group": label}
            bars.append(about | {"whose": "ours" if bar.is_ours else "theirs"})
            y += _BAR + _GAP
    return _SVG.render(title=title, bars=bars, groups=labels, width=_WIDTH, height=y + 8, left=_LEFT)
