"""The product along a path through arrays: each factor with its shape, then reordered and transposed to one formula."""
from __future__ import annotations

from typing import List

from lib.graph.explain.derivation import Derivation, Edge
from lib.graph.explain.document import Line
from lib.graph.explain.flows import flow, local, slope, summed_axes
from lib.graph.notation import Term, equation, name, number, outer, product_of, shape_of
from lib.graph.notation.digits import shape_text
from lib.graph.notation.latex import axes_words
from lib.graph.notation.terms import Piece, is_number


def chain(derivation: Derivation, path: List[Edge], result: Term) -> List[Line]:
    """Return the lines on a path: every local derivative with its shape, then the formula and its shapes.

    Args:
        derivation, path: the graph, and the path's edges from the output down.
        result: how to call the product: the gradient, if this is the only path to it.
    """
    end = path[-1].parent
    lines = [Line(local(derivation, edge), ": ", *_factor(derivation, edge), level=2) for edge in path]
    formula = number(1)
    for edge in path:
        formula = flow(derivation, edge, formula)
    lines.append(Line("reordered and transposed: ", equation(result, formula), level=1))
    lines.append(Line("shapes: ", shapes_in(formula), " -> ", shape_of(end.shape), level=1))
    return lines


def _factor(derivation: Derivation, edge: Edge) -> List[Piece]:
    """Return one local derivative of a path: what it multiplies by, from which side, and in which shape."""
    operation, child, parent = edge.child.operation, edge.child, edge.parent
    assert operation is not None
    if operation.name == "matmul":
        return _matrix_factor(derivation, edge)
    if operation.name in ("sum", "mean"):
        return [slope(derivation, edge), f" for each entry   shape {shape_text(parent.shape)}"]
    factor = slope(derivation, edge)
    if not operation.elementwise:
        return [factor]
    axes = summed_axes(edge)
    after = f", then summed over {axes_words(axes, child.ndim)}" if axes else ""
    how: List[Piece] = [factor] if is_number(factor, 1) or is_number(factor, -1) else ["elementwise ", factor]
    return how + [f"{after}   shape {shape_text(child.shape)}"]


def _matrix_factor(derivation: Derivation, edge: Edge) -> List[Piece]:
    """Return what a matrix product multiplies by: the other factor, transposed where the flow has it so."""
    other = derivation.names.term(edge.child.parents[1 - edge.i])
    product = flow(derivation, edge, name("G", edge.child.shape))
    if product.kind == "outer":
        return [other, f", multiplied by the outer product   shape {shape_text(other.shape)}"]
    if product.kind != "matmul":
        return [other, f"   shape {shape_text(other.shape)}"]
    left, right = product.parts
    factor, side = (right, "right") if left == name("G") else (left, "left")
    return [factor, f", multiplied from the {side}   shape {shape_text(factor.shape)}"]


def shapes_in(term: Term) -> Term:
    """Return a formula with the shapes of its arrays in the place of the arrays; single numbers are left out."""
    if term.kind in ("matmul", "outer"):
        left, right = map(shapes_in, term.parts)
        return left @ right if term.kind == "matmul" else outer(left, right)
    if term.kind == "call" and term.parts[0] == "sum":
        return Term("call", ("sum", (shapes_in(term.parts[1][0]),), term.parts[2]), term.shape)
    if term.kind in ("product", "fraction", "negative"):
        arrays = [shapes_in(part) for part in term.parts if part.ndim]
        return product_of(arrays) if arrays else shape_of(())
    return shape_of(term.shape or ())
