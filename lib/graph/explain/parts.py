"""The parts of an explanation that follow the graph node by node: variables, values, edges, sums, and a step."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from lib.graph.explain.derivation import Derivation, recompute
from lib.graph.explain.document import Line, Part
from lib.graph.explain.flows import flow, is_single, numbers, partials, sum_of_numbers, with_numbers
from lib.graph.explain.names import is_number
from lib.graph.node import Node
from lib.graph.notation import Term, array, equation, name, new, number, partial, product_of, sum_of
from lib.graph.notation.digits import LARGEST_PRINTED, digits_needed, shape_text
from lib.graph.notation.terms import Piece
from lib.validation import InputError


def intermediates(derivation: Derivation) -> Part:
    """Return t1, t2, ...: one assignment a line, a single operation each."""
    names = derivation.names
    given = [names.term(node) for node in derivation.order if node.operation is None and not is_number(node)]
    lines = [Line("Given: ", *listed(given), ".")] if given else []
    lines += [Line(equation(names.term(node), names.formula(node))) for node in derivation.computed()]
    return Part("(a) Intermediate variables, one operation each", lines)


def forward(derivation: Derivation) -> Part:
    """Return the value of every node, with the numbers put into its operation."""
    return Part("(b) Forward pass", [forward_line(derivation, node, derivation.values) for node in derivation.order
                                     if not is_number(node)])


def forward_line(derivation: Derivation, node: Node, values: Dict[Node, Any], level: int = 0) -> Line:
    """Return the line on one node: its formula, the numbers put in, and its value."""
    names = derivation.names
    terms = [names.term(node)]
    if node.operation is not None:
        terms.append(names.formula(node))
        if all(each.ndim == 0 for each in node.parents + (node,)):
            terms.append(with_numbers(node, values))
    return Line(*value_of(equation(*terms), values[node]), level=level)


def edges(derivation: Derivation) -> Part:
    """Return for every edge the product of partial derivatives that flows along it, and to which node."""
    derivation.require_gradients()
    names = derivation.names
    lines = [Line("Backpropagation starts at the output with ", equation(names.partial(derivation.output), number(1)),
                  " and visits the nodes in reverse order. Each node multiplies what it has received by its local "
                  "derivatives and sends the products on.")]
    if any(derivation.is_repeated(edge) for edge in derivation.edges):
        lines.append(Line("|1 and |2 say that only the first or the second input of the node is meant, where it "
                          "depends on the variable in other ways, too."))
    for node in reversed(derivation.computed()):
        if not node.needs_grad:
            continue
        received = value_of(names.partial(node), derivation.gradients[node], with_shape=False)
        lines.append(Line(equation(names.term(node), names.formula(node)), " has received ", *received, " and sends"))
        for edge in derivation.edges_from(node):
            terms = [partials(derivation, edge), flow(derivation, edge)]
            if is_single(edge):
                terms.append(numbers(derivation, edge))
            lines.append(Line("to ", names.term(edge.parent), ": ",
                              *value_of(equation(*terms), derivation.flows[edge]), level=1))
        constants = [names.term(parent) for parent in node.parents if not parent.needs_grad]
        if constants:
            lines.append(Line("nothing to ", *listed(constants, " and "), ": constant", level=1))
    return Part("(c) Backward pass: the product along each edge, and where it is sent", lines)


def sums(derivation: Derivation) -> Part:
    """Return for every node the sum, over its children, of what they sent it: its gradient."""
    derivation.require_gradients()
    names = derivation.names
    lines = [Line(equation(names.partial(derivation.output), number(1)))]
    for node in sorted(derivation.gradients, key=lambda each: -each.number):
        received = derivation.edges_to(node)
        if not received:
            continue
        terms = [names.partial(node), sum_of([partials(derivation, edge) for edge in received])]
        if len(received) == 1 and received[0].child is derivation.output:
            terms[1] = flow(derivation, received[0])  # its partial derivative is the gradient itself
        flows = [derivation.flows[edge] for edge in received]
        if len(flows) > 1 and all(each.size <= 4 for each in flows):
            terms.append(sum_of_numbers(flows, derivation.gradients[node]))
        lines.append(Line(*value_of(equation(*terms), derivation.gradients[node], with_shape=False)))
    return Part("(d) At each node: the sum over its children", lines)


def formulas(derivation: Derivation) -> Part:
    """Return every gradient as a formula in those of its children, with its shape: what a program computes."""
    derivation.require_gradients()
    names = derivation.names
    lines = [Line(equation(names.partial(derivation.output), number(1)))]
    for node in sorted(derivation.gradients, key=lambda each: -each.number):
        received = derivation.edges_to(node)
        if received:
            terms = sum_of([flow(derivation, edge) for edge in received])
            lines.append(Line(equation(names.partial(node), terms), f"   shape {shape_text(node.shape)}"))
    return Part("Gradients as formulas", lines)


def step(derivation: Derivation, learning_rate: float, chosen: Any = None) -> Part:
    """Return one step of gradient descent: each new parameter and the new loss."""
    derivation.require_gradients()
    parameters = trained(derivation) if chosen is None else [derivation.node(each) for each in chosen]
    lines, after = stepped(derivation, learning_rate, parameters)
    for node in derivation.computed():
        if after[node] is not node.value:
            lines.append(forward_line(derivation, node, after, level=1))
    lines.append(before_and_after(derivation, after))
    return Part(f"(g) One step of gradient descent with learning rate {learning_rate:g}", lines)


def stepped(derivation: Derivation, learning_rate: float,
            parameters: Sequence[Node]) -> Tuple[List[Line], Dict[Node, Any]]:
    """Return the lines on the new values of parameters, and with them the value of each node."""
    if not learning_rate > 0:
        raise InputError(f"The learning rate must be a positive number, but got {learning_rate!r}.")
    names, rate = derivation.names, number(learning_rate)
    output, w = names.term(derivation.output), name("w")
    rule = equation(new(w), w - rate * partial(output, w))
    lines = [Line("Each parameter moves against its gradient: ", rule, ".")]
    changed = {}
    for node in parameters:
        grad = derivation.gradients.get(node, node.value * 0)
        changed[node] = node.value - learning_rate * grad
        terms = [new(names.term(node)), names.term(node) - rate * names.partial(node)]
        if node.size <= 4:
            digits = digits_needed(lambda a, b: a - learning_rate * b, [node.value, grad], changed[node])
            terms.append(array(node.value, digits) - product_of([rate, array(grad, digits)]))
        lines.append(Line(*value_of(equation(*terms), changed[node], with_shape=False)))
    return lines + [Line("The forward pass with the new parameters:")], recompute(derivation.order, changed)


def before_and_after(derivation: Derivation, after: Dict[Node, Any]) -> Line:
    """Return the line on what a step did to the output."""
    chosen = any(node.operation.name == "where" and after[node] is not node.value  # type: ignore[union-attr]
                 for node in derivation.computed())
    return Line(derivation.names.term(derivation.output), " was ", array(derivation.output.value), " and is ",
                array(after[derivation.output]), " after the step",
                ", if the choices of where are those of before: a condition isn't computed again." if chosen else ".")


def trained(derivation: Derivation) -> List[Node]:
    """Return the leaves that a step changes: those of a module's parameters if there are any, else all variables."""
    parameters = derivation.parameters()
    of_modules = [node for node in parameters if node.parameter is not None]
    return of_modules or parameters


def value_of(terms: Term, value: Any, with_shape: bool = True) -> List[Piece]:
    """Return an equation that ends with a value: all entries and the shape, or of large arrays the shape alone."""
    if value.ndim and value.size > LARGEST_PRINTED:
        return [terms, f", an array of shape {shape_text(value.shape)}"]
    whole = equation(*(terms.parts if terms.kind == "equation" else (terms,)), array(value))
    return [whole] + ([f"   shape {shape_text(value.shape)}"] if value.ndim and with_shape else [])


def listed(terms: List[Term], last: str = ", ") -> List[Piece]:
    """Return terms as a list in a sentence: a, b and c."""
    pieces: List[Piece] = []
    for k, term in enumerate(terms):
        pieces += [last if k == len(terms) - 1 else ", ", term] if k else [term]
    return pieces
