"""The layout of a layered graph: which box stands where, so that nothing overlaps and few edges cross.

Four steps, as in Sugiyama's method: ranks, an order within each rank that has few crossings, coordinates, routes. Every
edge also passes through the ranks between its ends, where it has a place of its own, and one of these places is as
large as its label: so no edge crosses a box or a label, and no two of these overlap.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for visual understanding of hierarchical system structures, 1981.
"""
from __future__ import annotations

from bisect import bisect_left, insort
from typing import List, NamedTuple, Sequence, Tuple

Point = Tuple[float, float]
GAP_WITHIN = 16.0  # between neighbours of one rank
GAP_BETWEEN = 20.0  # between ranks, where edges bend
SWEEPS = 12


class LayoutEdge(NamedTuple):
    """An edge between two boxes, given by their indices, with the size of its label along and across its direction."""

    source: int
    target: int
    label: Tuple[float, float]


class Layout(NamedTuple):
    """Where everything stands, as (along the direction of flow, across it).

    Attributes:
        centres: the centre of each box.
        labels: the centre of each edge's label, which lies on the edge.
        routes: for each edge its points, two for each rank it passes: straight inside a rank, bending between ranks.
        extent: the size of the whole.
    """

    centres: List[Point]
    labels: List[Point]
    routes: List[List[Point]]
    extent: Point


class _Place:
    """A place in a rank: of a box, or of an edge that passes through."""

    def __init__(self, rank: int, along: float, across: float) -> None:
        self.rank, self.along, self.across = rank, along, across
        self.before: List["_Place"] = []
        self.after: List["_Place"] = []
        self.position = 0  # in its rank
        self.at = 0.0  # the coordinate across


def layered(sizes: Sequence[Tuple[float, float]], edges: Sequence[LayoutEdge]) -> Layout:
    """Return the layout of boxes of these sizes (along and across the flow); edges lead from smaller indices to larger.
    """
    ranks = _ranks(len(sizes), edges)
    boxes = [_Place(2 * rank, along, across) for rank, (along, across) in zip(ranks, sizes)]
    places = list(boxes)
    chains: List[List[_Place]] = []
    for edge in edges:
        first, last = boxes[edge.source].rank, boxes[edge.target].rank
        chain = [_Place(rank, 0.0, 4.0) for rank in range(first + 1, last)]
        chain[-1].along, chain[-1].across = edge.label  # the label stands next to the target
        for one, other in zip([boxes[edge.source]] + chain, chain + [boxes[edge.target]]):
            one.after.append(other)
            other.before.append(one)
        places += chain
        chains.append(chain)
    rows: List[List[_Place]] = [[] for _ in range(max((place.rank for place in places), default=0) + 1)]
    for place in _by_depth(places):
        rows[place.rank].append(place)
    rows = _with_few_crossings(rows)
    _place_across(rows)
    starts, ends, length = _place_along(rows)
    lowest = min(place.at - place.across / 2 for place in places)
    highest = max(place.at + place.across / 2 for place in places)
    for place in places:
        place.at -= lowest
    middle = [(start + end) / 2 for start, end in zip(starts, ends)]
    routes = []
    for edge, chain in zip(edges, chains):
        source, target = boxes[edge.source], boxes[edge.target]
        route = [(middle[source.rank] + source.along / 2, source.at), (ends[source.rank], source.at)]
        for place in chain:
            route += [(starts[place.rank], place.at), (ends[place.rank], place.at)]
        route += [(starts[target.rank], target.at), (middle[target.rank] - target.along / 2, target.at)]
        routes.append(route)
    return Layout([(middle[box.rank], box.at) for box in boxes],
                  [(middle[chain[-1].rank], chain[-1].at) for chain in chains], routes, (length, highest - lowest))


def _ranks(number: int, edges: Sequence[LayoutEdge]) -> List[int]:
    """Return each box's rank: one more than the highest of its sources; sources stand right before their first use."""
    ranks = [0] * number
    for edge in sorted(edges, key=lambda each: each.source):
        ranks[edge.target] = max(ranks[edge.target], ranks[edge.source] + 1)
    targets = {edge.target for edge in edges}
    for box in range(number):
        uses = [ranks[edge.target] for edge in edges if edge.source == box]
        if box not in targets and uses:
            ranks[box] = min(uses) - 1
    return ranks


def _by_depth(places: List[_Place]) -> List[_Place]:
    """Return the places in the order of a walk from the last box backwards: related places come close together."""
    order: List[_Place] = []
    seen = set()
    for root in sorted(places, key=lambda place: -place.rank):
        stack = [root]
        while stack:
            place = stack.pop()
            if id(place) in seen:
                continue
            seen.add(id(place))
            order.append(place)
            stack.extend(reversed(place.before))
    return order


# ---------------------------------------------------------------------- order

def _with_few_crossings(rows: List[List[_Place]]) -> List[List[_Place]]:
    """Return the rows reordered: each place moves to the mean of its neighbours' positions, forwards and backwards."""
    _number(rows)
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for row in rows if forwards else reversed(rows):
            row.sort(key=lambda place: _mean_position(place, forwards))
            _number([row])
        _swap_neighbours(rows)
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    _number(best)
    return best


def _number(rows: List[List[_Place]]) -> None:
    for row in rows:
        for k, place in enumerate(row):
            place.position = k


def _mean_position(place: _Place, forwards: bool) -> float:
    neighbours = place.before if forwards else place.after
    return sum(each.position for each in neighbours) / len(neighbours) if neighbours else float(place.position)


def _crossings(rows: List[List[_Place]]) -> int:
    """Return the number of pairs of edges that cross: inversions between the order of their ends."""
    total = 0
    for row in rows:
        passed: List[int] = []
        for place in row:
            ends = sorted(each.position for each in place.after)
            total += sum(len(passed) - bisect_left(passed, end + 1) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _swap_neighbours(rows: List[List[_Place]]) -> None:
    """Exchange neighbours of a row wherever that removes crossings."""
    for row in rows:
        for k in range(len(row) - 1):
            one, other = row[k], row[k + 1]
            now = swapped = 0
            for mine, theirs in ((one.before, other.before), (one.after, other.after)):
                for a in mine:
                    for b in theirs:
                        now += a.position > b.position
                        swapped += a.position < b.position
            if swapped < now:
                row[k], row[k + 1] = other, one
                one.position, other.position = k + 1, k


# ---------------------------------------------------------------------- coordinates

def _place_across(rows: List[List[_Place]]) -> None:
    """Give each place its coordinate across the flow: near its neighbours', in the order of its row."""
    for row in rows:
        at = 0.0
        for place in row:
            place.at = at + place.across / 2
            at += place.across + GAP_WITHIN
    for straighten in (False, True):
        for sweep in range(6 * SWEEPS):
            moved = [_settle(row, [_wish(place, straighten) for place in row])
                     for row in (rows if sweep % 2 == 0 else reversed(rows))]
            if max(moved) < 0.05:
                break


def _wish(place: _Place, straighten: bool) -> float:
    """Return where a place would like to be: at the mean of its neighbours; edges passing through pull straight.

    When all stand about right, those that are nearly in line pull strongest, so that edges become straight.
    """
    total = weight = 0.0
    for each in place.before + place.after:
        pull = 8.0 if each.along == place.along == 0 else 1.0
        if straighten and abs(each.at - place.at) < 14:
            pull *= 40.0
        total += pull * each.at
        weight += pull
    return total / weight if weight else place.at


def _settle(row: List[_Place], wishes: List[float]) -> float:
    """Place a row as near to its wishes as its order and the gaps allow, in least squares; return the longest move.

    Without the distances that neighbours must keep, that is isotonic regression: neighbours whose wishes are in the
    wrong order are merged into a block that stands at the mean of its wishes.
    """
    offsets = [0.0]
    for one, other in zip(row, row[1:]):
        offsets.append(offsets[-1] + (one.across + other.across) / 2 + GAP_WITHIN)
    blocks: List[List[float]] = []  # [mean, number of places]
    for wish, offset in zip(wishes, offsets):
        blocks.append([wish - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, number = blocks.pop()
            previous = blocks[-1]
            previous[0] = (previous[0] * previous[1] + mean * number) / (previous[1] + number)
            previous[1] += number
    settled = [mean for mean, number in blocks for _ in range(int(number))]
    longest = 0.0
    for place, base, offset in zip(row, settled, offsets):
        longest = max(longest, abs(base + offset - place.at))
        place.at = base + offset
    return longest


def _place_along(rows: List[List[_Place]]) -> Tuple[List[float], List[float], float]:
    """Return where each rank starts and ends along the flow, and the whole length."""
    starts, ends, at, gap = [], [], 0.0, 0.0
    for row in rows:
        starts.append(at)
        at += max((place.along for place in row), default=0.0)
        ends.append(at)
        farthest = max((abs(place.at - each.at) for place in row for each in place.after), default=0.0)
        gap = GAP_BETWEEN + min(0.12 * farthest, 1.5 * GAP_BETWEEN)  # long ways across need room to bend
        at += gap
    return starts, ends, at - gap
