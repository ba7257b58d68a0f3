"""A drawing as a list of shapes: what SVG and Matplotlib both draw, with sizes that are known before drawing."""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

Point = Tuple[float, float]

# fill and line of each kind of box: light enough for dark text, so that they show on light and dark pages
BOX_COLOURS = {"variable": ("#e2f0df", "#5b8c5a"), "constant": ("#e9ecef", "#868e96"),
               "operation": ("#e3ebf7", "#4a6fa5"), "output": ("#fbe8d3", "#c07a35"), "bias": ("#f3eafa", "#8461a8")}
TEXT_COLOURS = {"name": "#1f2933", "detail": "#4a5561", "value": "#2f7ac0", "gradient": "#c9621a", "title": "#7a8794",
                "legend": "#7a8794"}
EDGE_COLOURS = {"forward": "#8b97a3", "backward": "#c9621a", "bias": "#a58bc0", "skip": "#2f7ac0"}
FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
FONT_SIZES = {"name": 13.0, "detail": 11.0, "value": 11.0, "gradient": 11.0, "title": 15.0, "legend": 11.0}
LONGEST_TEXT = 34


class Box(NamedTuple):
    """A rounded rectangle or circle with lines of text in it; x and y are its centre."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    lines: Tuple[Tuple[str, str], ...]  # (text, style)
    name: str
    round: bool = False

    def bounds(self) -> Tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        return (self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2)


class Text(NamedTuple):
    """Words in the open; x and y are the middle of the side named by anchor: start, middle or end."""

    x: float
    y: float
    text: str
    style: str
    anchor: str = "middle"

    def bounds(self) -> Tuple[float, float, float, float]:
        """Return left, top, right, bottom, as far as they can be known before drawing."""
        width, size = text_width(self.text, FONT_SIZES[self.style]), FONT_SIZES[self.style]
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return (left, self.y - 0.55 * size, left + width, self.y + 0.55 * size)


class Curve(NamedTuple):
    """An edge: points p0, then three a segment: two control points and an end, with or without an arrow head."""

    points: Tuple[Point, ...]
    kind: str
    arrow: bool = True
    dashed: bool = False


class Scene:
    """Shapes on a sheet of a known size."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.boxes: List[Box] = []
        self.texts: List[Text] = []
        self.curves: List[Curve] = []

    def add(self, other: "Scene", dx: float, dy: float) -> None:
        """Put the shapes of another scene into this one, moved."""
        self.boxes += [box._replace(x=box.x + dx, y=box.y + dy) for box in other.boxes]
        self.texts += [text._replace(x=text.x + dx, y=text.y + dy) for text in other.texts]
        self.curves += [curve._replace(points=tuple((x + dx, y + dy) for x, y in curve.points))
                        for curve in other.curves]


def text_width(text: str, size: float) -> float:
    """Return the width of a text in the widest of the fonts we ask for, in the unit of the font size."""
    return size * sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if letter in "iljI.,:;|'![]()":
        return 0.41
    if letter in "frt -/\"":
        return 0.45
    if letter in "mwMW@%":
        return 0.99
    if letter in "+=<>~":
        return 0.84
    return 0.72 if letter.isupper() else 0.65


def shortened(text: str) -> str:
    """Return a text that is too long for a box with its middle left out."""
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2 - 2
    return f"{text[:half]}...{text[-half:]}"


def box_size(lines: Tuple[Tuple[str, str], ...]) -> Tuple[float, float]:
    """Return the width and height of a box around lines of text."""
    width = max(text_width(text, FONT_SIZES[style]) for text, style in lines)
    return width + 18, sum(FONT_SIZES[style] * 1.35 for _, style in lines) + 10


def arrow_head(points: Tuple[Point, ...], size: float = 7.0) -> Tuple[Point, Point, Point]:
    """Return the triangle at the end of a curve, in the direction of its last segment."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    base_x, base_y = x1 - size * dx, y1 - size * dy
    return (x1, y1), (base_x - size * dy / 2.2, base_y + size * dx / 2.2), (base_x + size * dy / 2.2,
                                                                            base_y - size * dx / 2.2)


def through(route: List[Point], horizontal: bool) -> Tuple[Point, ...]:
    """Return a smooth curve through the points of a route, leaving and reaching each in the direction of flow."""
    points: List[Point] = [route[0]]
    for (x0, y0), (x1, y1) in zip(route, route[1:]):
        if abs(x1 - x0) + abs(y1 - y0) < 0.01:
            continue
        if horizontal:
            middle = (x0 + x1) / 2
            points += [(middle, y0), (middle, y1), (x1, y1)]
        else:
            middle = (y0 + y1) / 2
            points += [(x0, middle), (x1, middle), (x1, y1)]
    return tuple(points)
