"""Where the shapes and transposes in a network's gradients come from: each array operation derived in index form.

The loss depends on an entry of an input through every entry of the output that it takes part in, so its derivative is
a sum over these. Written with indices nothing has to be guessed; the matrix form is read off at the end.
"""
from __future__ import annotations

from typing import Callable, Dict, List

from lib.graph.explain.derivation import Derivation, Edge
from lib.graph.explain.document import Line, Part
from lib.graph.explain.flows import flow, slope, summed_axes
from lib.graph.explain.parts import listed
from lib.graph.node import Node
from lib.graph.notation import Term, call, choice, entry, equation, name, partial, sum_over, words
from lib.graph.notation.digits import shape_text
from lib.graph.notation.latex import axes_words
from lib.graph.notation.simplify import times
from lib.validation import InputError

LETTERS = "bijklmnpq"


def matrices(derivation: Derivation) -> Part:
    """Return the shape of every term, and for each array operation the derivation of its gradients with indices."""
    derivation.require_gradients()
    lines: List[Line] = []
    nodes = [node for node in reversed(derivation.computed())
             if node.needs_grad and (node.ndim or any(parent.ndim for parent in node.parents))]
    if not nodes:
        lines.append(Line("All quantities of this graph are single numbers: there is no shape to match and nothing to "
                          "transpose."))
    for node in nodes:
        lines.extend(in_indices(derivation, node))
    return Part("(f) Shapes, and where the transposes come from", lines)


def in_indices(derivation: Derivation, node: Node) -> List[Line]:
    """Return the lines on one node: its shapes, its entries, and the gradient towards each parent."""
    names = derivation.names
    assert node.operation is not None
    terms = dict.fromkeys((node,) + node.parents)
    shapes = listed([words(names.term(each), f" {shape_text(each.shape)}") for each in terms])
    lines = [Line(equation(names.term(node), names.formula(node)), "   shapes: ", *shapes)]
    rule = RULES.get(node.operation.name, _by_entry if node.operation.elementwise else _by_words)
    said = set()
    for edge in derivation.edges_from(node):
        for line in rule(derivation, edge):
            if line.text not in said:  # what holds for both inputs is said once
                lines.append(line)
                said.add(line.text)
        gradient, product = names.partial(edge.parent), flow(derivation, edge)
        only = len(derivation.edges_to(edge.parent)) == 1
        said_of_edge = [equation(gradient, product)] if only else [gradient, " receives ", product]
        lines.append(Line(*said_of_edge, f"   shape {shape_text(edge.parent.shape)}, as ", names.term(edge.parent),
                          level=1))
    return lines


# ---------------------------------------------------------------------- the rules, one an operation

def _matmul(derivation: Derivation, edge: Edge) -> List[Line]:
    """z_bj = sum_i x_bi W_ij: which indices the sum runs over decides which factor is transposed, and on which side."""
    left, right = edge.child.parents
    if max(left.ndim, right.ndim) > 2:
        return _by_words(derivation, edge)
    indices = {(2, 2): ("bi", "ij", "bj"), (1, 2): ("i", "ij", "j"), (2, 1): ("ij", "j", "i"), (1, 1): ("i", "i", "")}
    of_left, of_right, of_out = indices[left.ndim, right.ndim]
    common = [k for k in of_left if k in of_right][0]
    term = derivation.names.term
    out = equation(entry(term(edge.child), of_out),
                   sum_over(common, entry(term(left), of_left) * entry(term(right), of_right)))
    other, of_other = (right, of_right) if edge.i == 0 else (left, of_left)
    own = of_left if edge.i == 0 else of_right
    over = "".join(k for k in of_out if k not in own)
    factors = [_gradient_at(derivation, edge.child, of_out), entry(term(other), of_other)]
    product = times(*(factors if edge.i == 0 else factors[::-1]))
    lines = [Line(out, level=1),
             Line(equation(_gradient_at(derivation, edge.parent, own), sum_over(over, product)), level=1)]
    if edge.child.ndim == 0:
        reason: List = ["each entry is multiplied by one and the same number"]
    elif not over:
        reason = ["nothing is summed, every pair of entries is multiplied: a column times a row, the outer product"]
    elif of_other.index(over) == (1 if edge.i else 0):
        needed = "second index of the left" if edge.i else "first index of the right"
        reason = [f"{over} is already the {needed} factor: ", term(other), " stays as it is"]
    elif other.ndim == 2 and edge.child.ndim == 1 and edge.i == 0:
        reason = [f"{over} is the second index of ", term(other), ": ", term(other),
                  " times the vector, not transposed"]
    else:
        now, needed = ("first", "second index of the left") if edge.i else ("second", "first index of the right")
        reason = [f"a matrix product sums over the {needed} factor, but {over} is the {now} index of ", term(other),
                  ": so ", term(other), " is transposed"]
    return lines + [Line(*reason, level=1)]


def _by_entry(derivation: Derivation, edge: Edge) -> List[Line]:
    """Elementwise: an output entry depends on one entry of each input, perhaps on one that broadcasting copied."""
    child, parent = edge.child, edge.parent
    letters = _letters(child.ndim)
    added = child.ndim - parent.ndim
    axes = summed_axes(edge)
    over = "".join(letters[axis] for axis in axes)
    own = "".join("1" if added + k in axes else letter for k, letter in enumerate(letters[added:]))
    product = times(_gradient_at(derivation, child, letters), _slope_at(derivation, edge, letters))
    lines = [Line(equation(_gradient_at(derivation, parent, own), sum_over(over, product)), level=1)]
    if not axes:
        return lines + [Line("entry by entry: the Jacobian is diagonal, so the product with it is elementwise and the "
                             f"shape stays {shape_text(child.shape)}", level=1)]
    copies = 1
    for axis in axes:
        copies *= child.shape[axis]
    return lines + [Line("broadcasting uses each entry of ", derivation.names.term(parent),
                         f" {copies} times, once for each of {axes_words(axes, child.ndim)}: its derivative is the sum "
                         "over all of them", level=1)]


def _reduction(derivation: Derivation, edge: Edge) -> List[Line]:
    """A sum or a mean: every entry takes part once, so each receives the same share."""
    kind = edge.child.operation.name  # type: ignore[union-attr]
    return [Line("every entry of ", derivation.names.term(edge.parent), f" takes part in the {kind} once, with "
                 "derivative ", slope(derivation, edge), ": what arrives is copied back to the shape "
                 f"{shape_text(edge.parent.shape)}", level=1)]


def _softmax(derivation: Derivation, edge: Edge) -> List[Line]:
    """p_i = exp(s_i) / sum_j exp(s_j): every output depends on every input of its row."""
    p, s = derivation.names.term(edge.child), derivation.names.term(edge.parent)
    at_i, at_j = (_gradient_at(derivation, edge.child, k) for k in "ij")
    is_same = choice(name("i"), "==", name("j"))
    local = partial(entry(p, "i"), entry(s, "j"))
    if edge.child.operation.name == "softmax":  # type: ignore[union-attr]
        slope_ij = entry(p, "i") * (is_same - entry(p, "j"))
        result = entry(p, "j") * (at_j - sum_over("i", at_i * entry(p, "i")))
        last = [Line("the Jacobian isn't diagonal, but symmetric, so transposing it changes nothing", level=1)]
    else:
        from_log = call("exp", entry(p, "j"))
        slope_ij, result, last = is_same - from_log, at_j - from_log * sum_over("i", at_i), []
    return [Line("along the axis of the softmax, every output depends on every input, with indices i and j there:",
                 level=1),
            Line(equation(local, slope_ij), level=1),
            Line(equation(_gradient_at(derivation, edge.parent, "j"), sum_over("i", at_i * local), result), level=1)
            ] + last


def _by_words(derivation: Derivation, edge: Edge) -> List[Line]:
    """Every other operation says itself what its derivative is."""
    return [Line(slope(derivation, edge), level=1)]


RULES: Dict[str, Callable[[Derivation, Edge], List[Line]]] = {
    "matmul": _matmul, "sum": _reduction, "mean": _reduction, "softmax": _softmax, "log_softmax": _softmax}


# ---------------------------------------------------------------------- entries

def _letters(ndim: int) -> str:
    """Return an index for each axis of an array: the batch is b."""
    if ndim > len(LETTERS):
        raise InputError(f"An array of {ndim} axes has more than there are letters for their indices ({len(LETTERS)}).")
    return LETTERS[:ndim] if ndim != 1 else "i"


def _gradient_at(derivation: Derivation, node: Node, indices: str) -> Term:
    """Return an entry of d(output)/d(node): that is the derivative by an entry of the node."""
    return partial(derivation.names.term(derivation.output), entry(derivation.names.term(node), indices))


def _slope_at(derivation: Derivation, edge: Edge, letters: str) -> Term:
    """Return the local derivative of an elementwise operation with indices on all names."""
    def at(node: Node) -> Term:
        added = len(letters) - node.ndim
        own = "".join("1" if size == 1 and edge.child.shape[added + k] != 1 else letters[added + k]
                      for k, size in enumerate(node.shape))
        return entry(derivation.names.term(node), own)

    operation = edge.child.operation
    assert operation is not None
    return operation.derivative(edge.i, at(edge.child), *[at(parent) for parent in edge.child.parents])
