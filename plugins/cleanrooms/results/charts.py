"""Bar charts as SVG for the report: same table, same bytes.

The layout is computed from lengths of labels, never from fonts, so that it does not depend on the machine.
Colours are placeholders that become CSS variables, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cleanrooms.config.collaboration import Query
from cleanrooms.results.bars import MOST_SERIES, Bars, choose
from cleanrooms.results.words import phrase

# Placeholder colours, each unlike any colour that matplotlib puts into a file by itself.
_INK, _QUIET = "#0a0b01", "#0a0b02"
_SERIES = [f"#0a0b1{n}" for n in range(1, MOST_SERIES + 1)]
_VARIABLES = {_INK: "var(--ink)", _QUIET: "var(--quiet)"} | {
    colour: f"var(--series-{n})" for n, colour in enumerate(_SERIES, 1)
}

# Points (1/72 inch), which are the units of the SVG.
_WIDTH, _FONT, _LETTER = 720.0, 12.0, 6.6
_BAR, _GAP, _PAD = 16.0, 8.0, 6.0
_LONGEST_LABEL = 38

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: selectable, read aloud, in the page's font
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": ["DejaVu Sans"],  # travels with matplotlib
    "font.size": _FONT,
    "text.color": _INK,
}

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"


@dataclass(frozen=True)
class Chart:
    """A drawing and what it says, in words.

    :param svg: one ``<svg>`` element
    :param title: what the bars are
    :param description: text alternative
    :param series: labels of the colours ``--series-1`` onwards; empty for a single colour
    """

    svg: str
    title: str
    description: str
    series_title: str
    series: tuple[str, ...]
    omitted: int


def chart(table: pa.Table, query: Query) -> Chart | None:
    """Bar chart of a result, or None where there is nothing to draw (no dimension, no rows, no number)."""
    bars = choose(table, query)
    if bars is None:
        return None
    by = " and ".join(phrase(name) for name in query.dimensions)
    title = f"{phrase(bars.measure)} by {by}".capitalize()
    description = _describe(bars)
    svg = _element(_draw(bars, salt=query.name), query.name, title, description)
    series_title = phrase(bars.series_dimension) if bars.series_dimension else ""
    return Chart(svg, title, description, series_title, bars.series, bars.omitted)


def _describe(bars: Bars) -> str:
    drawn = [(bar.value, key, bar.text) for key, bar in bars.bars.items() if bar.value is not None]
    count = f"Bar chart with {len(drawn)} bars."
    if not drawn:
        return count
    largest, smallest = max(drawn), min(drawn)
    ends = " ".join(
        f"{word}: {', '.join(part for part in key if part)}, {text}."
        for word, (_, key, text) in (("Largest", largest), ("Smallest", smallest))
    )
    return f"{count} {ends} The table holds the values."


def _draw(bars: Bars, salt: str) -> bytes:
    series = bars.series or ("",)
    labels = [_shorten(row) for row in bars.rows]
    slot = len(series) * _BAR + _GAP
    height = len(labels) * slot + 2 * _PAD
    left = max(map(_width, labels)) * _LETTER + 12
    out = io.BytesIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}), warnings.catch_warnings():
        # The browser has fonts for the scripts that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(_WIDTH / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((left / _WIDTH, 0, 1 - left / _WIDTH, 1))
        axes.set_ylim(height - _PAD, -_PAD)
        axes.set_xlim(*_limits(bars, _WIDTH - left))
        for n, row in enumerate(bars.rows):
            for s, name in enumerate(series):
                _bar(axes, bars, (row, name), n * slot + s * _BAR + _GAP / 2, _SERIES[s])
        middles = [n * slot + slot / 2 for n in range(len(labels))]
        axes.set_yticks(middles, labels, color=_INK)
        axes.tick_params(length=0, pad=8)
        axes.xaxis.set_visible(False)
        axes.axvline(0, color=_QUIET, linewidth=1)
        axes.patch.set_visible(False)
        axes.spines[:].set_visible(False)
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _bar(axes: Axes, bars: Bars, key: tuple[str, str], top: float, colour: str) -> None:
    bar = bars.bars.get(key)
    if bar is None:
        return
    value = bar.value or 0.0
    axes.barh(top, value, height=_BAR - 2, align="edge", color=colour, linewidth=0)
    offset, side = (-5, "right") if value < 0 else (5, "left")
    axes.annotate(
        bar.text,
        (value, top + _BAR / 2 - 1),
        xytext=(offset, 0),
        textcoords="offset points",
        horizontalalignment=side,
        verticalalignment="center_baseline",
        fontsize=_FONT - 1,
        color=_INK if bar.value is not None else _QUIET,
    )


def _limits(bars: Bars, width: float) -> tuple[float, float]:
    """Range of the value axis that leaves room for the texts at the ends of the bars."""
    low, high = min([0.0, *bars.values]), max([0.0, *bars.values])
    span = high - low or 1.0
    room = max(len(bar.text) for bar in bars.bars.values()) * _LETTER + 10
    sides = 2 if low < 0 else 1
    pad = span * room / max(width - sides * room, room)
    return (low - pad if low < 0 else low), high + pad


def _shorten(label: str) -> str:
    while _width(label) > _LONGEST_LABEL:
        label = label[:-2] + "…"
    return label


def _width(label: str) -> float:
    """Width in small Latin letters: capitals and wide letters need more, those of East Asia twice as much."""
    return sum(_letter_width(char) for char in label)


def _letter_width(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 2.0
    return 1.3 if char.isupper() or char in "mw@%" else 1.0


def _element(svg: bytes, name: str, title: str, description: str) -> str:
    """The drawing as one element of a page: labelled, themed, and with ids that are its own."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(svg)  # noqa: S314  matplotlib's own output, written two calls ago
    for child in list(root):
        if child.tag == f"{{{_SVG}}}metadata":
            root.remove(child)
    for defs in root.iter(f"{{{_SVG}}}defs"):
        for style in defs.findall(f"{{{_SVG}}}style"):
            defs.remove(style)  # would style the whole page
    for node in root.iter():
        for key, value in node.attrib.items():
            node.set(key, _own(key, value, name))
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        node = ET.Element(
            f"{{{_SVG}}}{tag}", {"id": f"{name}-{'title' if tag == 'title' else 'description'}"}
        )
        node.text = text
        root.insert(place, node)
    return ET.tostring(root, encoding="unicode")


def _own(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == f"{{{_XLINK}}}href" and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = value.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        value = value.replace(colour, variable)
    return value
