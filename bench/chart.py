"""A chart of what was measured: bars, a group for each number of posts, in the colours of the reader's scheme."""

from typing import Any

import jinja2

_BAR, _GAP, _GROUP, _LEFT, _WIDTH = 16, 4, 26, 210, 760

_SVG = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" role="img" aria-labelledby="t d">
  <title id="t">Seconds for a publish, feeds beside Hugo</title>
  <desc id="d">{% for bar in bars %}{{ bar.label }}: {{ bar.seconds }} s. {% endfor %}</desc>
  <style>
    text { font: 12px system-ui, sans-serif; fill: #1f2328 } .feeds { fill: #0b6e4f } .hugo { fill: #8a8f98 }
    @media (prefers-color-scheme: dark) { text { fill: #e6e6e6 } .feeds { fill: #4cc79a } .hugo { fill: #9aa0a8 } }
  </style>
  {% for group in groups %}
  <text x="0" y="{{ group.y }}" font-weight="600">{{ group.label }}</text>
  {% endfor %}
  {% for bar in bars %}
  <text x="{{ left - 8 }}" y="{{ bar.y + 12 }}" text-anchor="end">{{ bar.name }}</text>
  <rect class="{{ bar.program }}" x="{{ left }}" y="{{ bar.y }}" width="{{ bar.width }}" height="16" rx="2"/>
  <text x="{{ left + bar.width + 6 }}" y="{{ bar.y + 12 }}">{{ bar.seconds }} s</text>
  {% endfor %}
</svg>
""")


def drawn(rows: list[Any]) -> str:
    """Return the chart as SVG; a bar is as long as its part of the longest in its group."""
    bars: list[dict[str, object]] = []
    groups: list[dict[str, object]] = []
    y = 0
    for posts in dict.fromkeys(row.posts for row in rows):
        shown = [row for row in rows if row.posts == posts and row.program in {"feeds", "hugo"}]
        y += _GROUP
        groups.append({"y": y - 8, "label": f"{posts:,} posts"})
        longest = max(row.wall for row in shown)
        for row in sorted(shown, key=lambda row: (("cold", "unchanged", "one changed").index(row.state), row.program)):
            name = f"{row.state}, {row.program}"
            width = max(1, round((_WIDTH - _LEFT - 70) * row.wall / longest))
            bar = {"y": y, "name": name, "program": row.program, "width": width, "seconds": f"{row.wall:.2f}"}
            bars.append(bar | {"label": f"{posts:,} posts, {name}"})
            y += _BAR + _GAP
    return _SVG.render(bars=bars, groups=groups, width=_WIDTH, height=y + 8, left=_LEFT)
