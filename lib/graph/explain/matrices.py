"""Where the shapes and transposes in a network's gradients come from: each array operation derived in index form.

The loss depends on an entry of an input through every entry of the output that it takes part in, so its derivative is
a sum over these. Written with indices nothing has to be guessed; the matrix form is read off at the end.
"""
from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Tuple

from lib.graph.explain.flows import (axes_words, derivative_latex, derivative_text, flow_latex, flow_text,
                                     product_latex, product_text, summed_axes)
from lib.graph.explain.names import shape_text
from lib.graph.explain.text import Line, Part
from lib.graph.explain.trace import Edge, Trace
from lib.graph.node import Node

LETTERS = "bijklmnpq"


def matrices(trace: Trace) -> Part:
    """Return the shape of every term, and for each array operation the derivation of its gradients with indices."""
    trace.require_gradients()
    lines: List[Line] = []
    nodes = [node for node in reversed(trace.computed())
             if node.needs_grad and (node.ndim or any(parent.ndim for parent in node.parents))]
    if not nodes:
        lines.append(Line("All quantities of this graph are single numbers: there is no shape to match and nothing to "
                          "transpose."))
    for node in nodes:
        lines.extend(derivation(trace, node))
    return Part("(f) Shapes, and where the transposes come from", lines)


def derivation(trace: Trace, node: Node) -> List[Line]:
    """Return the lines on one node: its shapes, its entries, and the gradient towards each parent."""
    names = trace.names
    assert node.operation is not None
    shapes = ", ".join(f"{names.text[each]} {shape_text(each.shape)}" for each in dict.fromkeys((node,) + node.parents))
    shapes_latex = r",\; ".join(rf"{names.latex[each]}\; {_shape_latex(each)}"
                                for each in dict.fromkeys((node,) + node.parents))
    lines = [Line(f"{names.text[node]} = {names.formula(node)}   shapes: {shapes}",
                  rf"{names.latex[node]} = {names.formula_latex(node)} \qquad \text{{shapes: }} {shapes_latex}")]
    rule = RULES.get(node.operation.name, _by_entry if node.operation.elementwise else _by_words)
    said = set()
    for edge in trace.edges_from(node):
        for line in rule(trace, edge):
            if line.text not in said:  # what holds for both inputs is said once
                lines.append(Line(line.text, line.latex, level=1))
                said.add(line.text)
        lines.append(Line(f"{names.derivative(edge.parent)}{_share(trace, edge)} = {flow_text(trace, edge)}   shape "
                          f"{shape_text(edge.parent.shape)}, as {names.text[edge.parent]}",
                          rf"{names.derivative_latex(edge.parent)}{_share(trace, edge, latex=True)} = "
                          rf"{flow_latex(trace, edge)} \qquad \text{{shape }} {_shape_latex(edge.parent)}", level=1))
    return lines


# ---------------------------------------------------------------------- the rules, one an operation

def _matmul(trace: Trace, edge: Edge) -> List[Line]:
    """z_bj = sum_i x_bi W_ij: which indices the sum runs over decides which factor is transposed, and on which side."""
    left, right = edge.child.parents
    if max(left.ndim, right.ndim) > 2:
        return _by_words(trace, edge)
    indices = {(2, 2): ("bi", "ij", "bj"), (1, 2): ("i", "ij", "j"), (2, 1): ("ij", "j", "i"), (1, 1): ("i", "i", "")}
    of_left, of_right, of_out = indices[left.ndim, right.ndim]
    summed = [k for k in of_left if k in of_right][0]
    entry = Line(f"{_at(trace, edge.child, of_out)} = sum_{summed} {_at(trace, left, of_left)} * "
                 f"{_at(trace, right, of_right)}",
                 rf"{_at(trace, edge.child, of_out, True)} = \sum_{summed} {_at(trace, left, of_left, True)} \, "
                 rf"{_at(trace, right, of_right, True)}")
    other, of_other = (right, of_right) if edge.i == 0 else (left, of_left)
    own = of_left if edge.i == 0 else of_right
    over = "".join(k for k in of_out if k not in own)
    sigma, sigma_latex = (f"sum_{over} ", rf"\sum_{over} ") if over else ("", "")
    grad, grad_latex = _gradient_at(trace, edge.child, of_out)
    mine, mine_latex = _gradient_at(trace, edge.parent, own)
    factor, factor_latex = _at(trace, other, of_other), _at(trace, other, of_other, True)
    pair = (factor, grad) if edge.i else (grad, factor)
    pair_latex = (factor_latex, grad_latex) if edge.i else (grad_latex, factor_latex)
    lines = [entry, Line(f"{mine} = {sigma}{pair[0]} * {pair[1]}",
                         rf"{mine_latex} = {sigma_latex}{pair_latex[0]} \, {pair_latex[1]}")]
    name = trace.names.text[other]
    if edge.child.ndim == 0:
        reason = "each entry is multiplied by one and the same number"
    elif not over:
        reason = "nothing is summed, every pair of entries is multiplied: a column times a row, the outer product"
    elif of_other.index(over) == (1 if edge.i else 0):
        needed = "second index of the left" if edge.i else "first index of the right"
        reason = f"{over} is already the {needed} factor: {name} stays as it is"
    elif other.ndim == 2 and edge.child.ndim == 1 and edge.i == 0:
        reason = f"{over} is the second index of {name}: {name} times the vector, not transposed"
    else:
        now, needed = ("first", "second index of the left") if edge.i else ("second", "first index of the right")
        reason = (f"a matrix product sums over the {needed} factor, but {over} is the {now} index of {name}: "
                  f"so {name} is transposed")
    return lines + [Line(reason)]


def _by_entry(trace: Trace, edge: Edge) -> List[Line]:
    """Elementwise: an output entry depends on one entry of each input, perhaps on one that broadcasting copied."""
    child, parent = edge.child, edge.parent
    letters = LETTERS[:child.ndim] if child.ndim > 1 else "i"[:child.ndim]
    added = child.ndim - parent.ndim
    own = letters[added:]
    axes = summed_axes(trace, edge)
    over = "".join(letters[axis] for axis in axes)
    own = "".join("1" if added + k in axes else letter for k, letter in enumerate(own))
    grad, grad_latex = _gradient_at(trace, child, letters)
    mine, mine_latex = _gradient_at(trace, parent, own)
    local = _indexed(trace, edge, letters, axes, latex=False)
    local_latex = _indexed(trace, edge, letters, axes, latex=True)
    sigma, sigma_latex = (f"sum_{over} ", rf"\sum_{{{over}}} ") if over else ("", "")
    lines = [Line(f"{mine} = {sigma}{product_text(grad, local)}",
                  rf"{mine_latex} = {sigma_latex}{product_latex(grad_latex, local_latex)}")]
    names = trace.names
    if axes:
        copies = 1
        for axis in axes:
            copies *= child.shape[axis]
        lines.append(Line(f"broadcasting uses each entry of {names.text[parent]} {copies} times, once for each of "
                          f"{axes_words(axes, child.ndim)}: its derivative is the sum over all of them"))
    else:
        lines.append(Line(f"entry by entry: the Jacobian is diagonal, so the product with it is elementwise and the "
                          f"shape stays {shape_text(child.shape)}"))
    return lines


def _reduction(trace: Trace, edge: Edge) -> List[Line]:
    """A sum or a mean: every entry takes part once, so each receives the same share."""
    child, parent, operation = edge.child, edge.parent, edge.child.operation
    assert operation is not None
    kind = "the sum" if operation.name == "sum" else "the mean"
    share = "1" if operation.name == "sum" else f"1/{parent.size // max(child.size, 1)}"
    return [Line(f"every entry of {trace.names.text[parent]} takes part in {kind} once, with derivative {share}: what "
                 f"arrives is copied back to the shape {shape_text(parent.shape)}")]


def _softmax(trace: Trace, edge: Edge) -> List[Line]:
    """p_i = exp(s_i) / sum_j exp(s_j): every output depends on every input of its row."""
    p, s = trace.names.text[edge.child], trace.names.text[edge.parent]
    p_latex, s_latex = trace.names.latex[edge.child], trace.names.latex[edge.parent]
    grad, grad_latex = _gradient_at(trace, edge.child, "i")
    mine, mine_latex = _gradient_at(trace, edge.parent, "j")
    lines = [Line("along the axis of the softmax, every output depends on every input, with indices i and j there:"),
             Line(f"d{p}[i]/d{s}[j] = {p}[i] * (1 if i == j else 0) - {p}[i] * {p}[j]",
                  rf"\frac{{\partial [{p_latex}]_i}}{{\partial [{s_latex}]_j}} = [{p_latex}]_i "
                  rf"\left(\mathbb{{1}}[i = j] - [{p_latex}]_j\right)"),
             Line(f"{mine} = sum_i {grad} * d{p}[i]/d{s}[j] = {p}[j] * ({grad.replace('[i]', '[j]')} - sum_i {grad} * "
                  f"{p}[i])",
                  rf"{mine_latex} = \sum_i {grad_latex} \frac{{\partial [{p_latex}]_i}}{{\partial [{s_latex}]_j}} = "
                  rf"[{p_latex}]_j \left({_gradient_at(trace, edge.child, 'j')[1]} - \sum_i {grad_latex} "
                  rf"[{p_latex}]_i\right)")]
    return lines + [Line("the Jacobian isn't diagonal, but symmetric, so transposing it changes nothing")]


def _log_softmax(trace: Trace, edge: Edge) -> List[Line]:
    """l_i = s_i - log sum_j exp(s_j): every output depends on every input of its row."""
    out, s = trace.names.text[edge.child], trace.names.text[edge.parent]
    out_latex, s_latex = trace.names.latex[edge.child], trace.names.latex[edge.parent]
    grad, grad_latex = _gradient_at(trace, edge.child, "i")
    mine, mine_latex = _gradient_at(trace, edge.parent, "j")
    return [Line("along the axis of the softmax, every output depends on every input, with indices i and j there:"),
            Line(f"d{out}[i]/d{s}[j] = (1 if i == j else 0) - exp({out}[j])",
                 rf"\frac{{\partial [{out_latex}]_i}}{{\partial [{s_latex}]_j}} = \mathbb{{1}}[i = j] - "
                 rf"e^{{[{out_latex}]_j}}"),
            Line(f"{mine} = {grad.replace('[i]', '[j]')} - exp({out}[j]) * sum_i {grad}",
                 rf"{mine_latex} = {_gradient_at(trace, edge.child, 'j')[1]} - e^{{[{out_latex}]_j}} "
                 rf"\sum_i {grad_latex}")]


def _by_words(trace: Trace, edge: Edge) -> List[Line]:
    """Every other operation says itself what its derivative is."""
    return [Line(derivative_text(trace, edge), derivative_latex(trace, edge))]


RULES: Dict[str, Callable[[Trace, Edge], Sequence[Line]]] = {
    "matmul": _matmul, "sum": _reduction, "mean": _reduction, "softmax": _softmax, "log_softmax": _log_softmax}


# ---------------------------------------------------------------------- entries

def _at(trace: Trace, node: Node, indices: str, latex: bool = False) -> str:
    """Return an entry of a node, such as W[i,j]."""
    if latex:
        return rf"[{trace.names.latex[node]}]_{{{indices}}}" if indices else trace.names.latex[node]
    return f"{trace.names.text[node]}[{','.join(indices)}]" if indices else trace.names.text[node]


def _gradient_at(trace: Trace, node: Node, indices: str) -> Tuple[str, str]:
    """Return an entry of d(output)/d(node), as text and as LaTeX: that is the derivative by an entry of the node."""
    output, output_latex = trace.names.text[trace.output], trace.names.latex[trace.output]
    return (f"d{output}/d{_at(trace, node, indices)}",
            rf"\frac{{\partial {output_latex}}}{{\partial {_at(trace, node, indices, True)}}}")


def _indexed(trace: Trace, edge: Edge, letters: str, axes: Tuple[int, ...], latex: bool) -> str:
    """Return the local derivative of an elementwise operation with indices on all names."""
    def entry(node: Node) -> str:
        added = len(letters) - node.ndim
        own = "".join("1" if size == 1 and edge.child.shape[added + k] != 1 else letters[added + k]
                      for k, size in enumerate(node.shape))
        return _at(trace, node, own, latex)

    operation = edge.child.operation
    assert operation is not None
    method = operation.derivative_latex if latex else operation.derivative_text
    return method(edge.i, entry(edge.child), *[entry(parent) for parent in edge.child.parents])


def _share(trace: Trace, edge: Edge, latex: bool = False) -> str:
    """Return a remark that this is only one of several contributions to the parent's gradient."""
    if len(trace.edges_to(edge.parent)) == 1:
        return ""
    by = trace.names.latex[edge.child] if latex else trace.names.text[edge.child]
    return rf"\Big|_{{\text{{through }} {by}}}" if latex else f" (the part through {by})"


def _shape_latex(node: Node) -> str:
    return r"\text{a number}" if node.ndim == 0 else str(node.shape).replace(",)", ")").replace(", ", r" \times ")
