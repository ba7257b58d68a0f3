"""A scene as SVG text, which browsers, notebooks and Markdown pages show; nothing needs to be installed."""
from __future__ import annotations

from typing import List
from xml.sax.saxutils import escape, quoteattr

from lib.graph.draw.scene import (BOX_COLOURS, Box, Curve, EDGE_COLOURS, FONT, FONT_SIZES, Scene, TEXT_COLOURS,
                                  arrow_head)


def svg(scene: Scene) -> str:
    """Return a scene as an SVG document. Its background is transparent: it suits light and dark pages."""
    width, height = f"{scene.width:.0f}", f"{scene.height:.0f}"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">',
             f"<title>{escape(scene.title)}</title>"]
    for curve in scene.curves:
        lines += _curve(curve)
    for box in scene.boxes:
        lines += _box(box)
    lines += [_text(text.x, text.y, text.text, text.style, text.anchor) for text in scene.texts]
    return "\n".join(lines + ["</svg>"]) + "\n"


def _curve(curve: Curve) -> List[str]:
    colour = EDGE_COLOURS[curve.kind]
    points = list(curve.points)
    head = arrow_head(curve.points)
    if curve.arrow:  # the line ends inside of the head, so that the tip is sharp
        points[-1] = ((head[1][0] + head[2][0]) / 2, (head[1][1] + head[2][1]) / 2)
    path = f"M{_point(points[0])}" + "".join(
        f" C{_point(points[k])} {_point(points[k + 1])} {_point(points[k + 2])}" for k in range(1, len(points), 3))
    dashes = ' stroke-dasharray="4 3"' if curve.dashed else ""
    lines = [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"{dashes}/>']
    if curve.arrow:
        lines.append(f'<polygon points="{" ".join(_point(point) for point in head)}" fill="{colour}"/>')
    return lines


def _box(box: Box) -> List[str]:
    fill, line = BOX_COLOURS[box.kind]
    left, top = box.bounds()[:2]
    radius = box.height / 2 if box.round else 6
    lines = [f"<g><title>{escape(box.name)}</title>",
             f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:.1f}" '
             f'fill="{fill}" stroke="{line}" stroke-width="1.4"/>']
    for y, (text, style) in line_heights(box):
        lines.append(_text(box.x, y, text, style, "middle"))
    return lines + ["</g>"]


def line_heights(box: Box) -> List[tuple]:
    """Return (y of its middle, line) for each line of text in a box."""
    heights = [FONT_SIZES[style] * 1.35 for _, style in box.lines]
    y = box.y - sum(heights) / 2
    placed = []
    for height, line in zip(heights, box.lines):
        placed.append((y + height / 2, line))
        y += height
    return placed


def _text(x: float, y: float, text: str, style: str, anchor: str) -> str:
    size = FONT_SIZES[style]
    weight = ' font-weight="bold"' if style == "title" else ""
    # the baseline lies 0.36 of the size below the middle of the letters; not every viewer knows dominant-baseline
    return (f'<text x="{x:.1f}" y="{y + 0.36 * size:.1f}" font-size="{size:g}" fill="{TEXT_COLOURS[style]}" '
            f"text-anchor={quoteattr(anchor)}{weight}>{escape(text)}</text>")


def _point(point: tuple) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
