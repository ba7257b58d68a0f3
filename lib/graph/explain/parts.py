"""The parts of an explanation that follow the graph node by node: variables, values, edges, sums, and a step."""
from __future__ import annotations

from typing import Any, List

from lib.graph.explain.flows import (flow_latex, flow_text, is_single, numbers_latex, numbers_text, partials_latex,
                                     partials_text)
from lib.graph.explain.names import (LARGEST_PRINTED, apply_latex, apply_text, is_number, number_latex, number_text,
                                     operand, shape_text, value_latex, value_text)
from lib.graph.explain.text import Line, Part
from lib.graph.explain.trace import Trace, recompute
from lib.graph.node import Node
from lib.validation import InputError


def intermediates(trace: Trace) -> Part:
    """Return t1, t2, ...: one assignment a line, a single operation each."""
    names = trace.names
    lines = []
    given = [names.text[node] for node in trace.order if node.operation is None and not is_number(node)]
    if given:
        lines.append(Line(f"Given: {', '.join(given)}."))
    for node in trace.computed():
        lines.append(Line(f"{names.text[node]} = {names.formula(node)}",
                          f"{names.latex[node]} = {names.formula_latex(node)}"))
    return Part("(a) Intermediate variables, one operation each", lines)


def forward(trace: Trace) -> Part:
    """Return the value of every node, with the numbers put into its operation."""
    names = trace.names
    lines = []
    for node in trace.order:
        name, latex = names.text[node], names.latex[node]
        if is_number(node):
            continue
        if node.operation is None:
            lines.append(Line(f"{name} = {value_text(node.value)}{_with_shape(node)}",
                              rf"{latex} = {value_latex(node.value)}"))
            continue
        formula, formula_latex = names.formula(node), names.formula_latex(node)
        if all(each.ndim == 0 for each in node.parents + (node,)):
            numbers = [number_text(parent.value) for parent in node.parents]
            lines.append(Line(f"{name} = {formula} = {apply_text(node.operation, numbers)} = {number_text(node.value)}",
                              f"{latex} = {formula_latex} = "
                              f"{apply_latex(node.operation, list(map(number_latex, numbers)))} = "
                              f"{number_latex(number_text(node.value))}"))
        else:
            shape = shape_text(node.shape)
            lines.append(Line(f"{name} = {formula} = {value_text(node.value)}{_with_shape(node)}",
                              rf"{latex} = {formula_latex} = {value_latex(node.value)} \quad \text{{shape {shape}}}"))
    return Part("(b) Forward pass", lines)


def edges(trace: Trace) -> Part:
    """Return for every edge the product of partial derivatives that flows along it, and to which node."""
    trace.require_gradients()
    names = trace.names
    output = names.derivative(trace.output)
    lines = [Line(f"Backpropagation starts at the output with {output} = 1 and visits the nodes in reverse order. Each "
                  "node multiplies what it has received by its local derivatives and sends the products on.")]
    if any(trace.is_repeated(edge) for edge in trace.edges):
        lines.append(Line("|1 and |2 stand for the first and the second input of a node that uses a variable twice."))
    for node in reversed(trace.computed()):
        if not node.needs_grad:
            continue
        received = f"{names.derivative(node)} = {value_text(trace.gradients[node])}"
        lines.append(Line(f"{names.text[node]} = {names.formula(node)} has received {received} and sends",
                          rf"{names.latex[node]} = {names.formula_latex(node)}\text{{ has received }}"
                          rf"{names.derivative_latex(node)} = {value_latex(trace.gradients[node])}\text{{ and sends}}"))
        for edge in trace.edges_from(node):
            text, latex = f"{partials_text(trace, edge)}", partials_latex(trace, edge)
            if not is_single(edge):
                value = trace.flows[edge]
                text += f" = {flow_text(trace, edge)} = {value_text(value)}{_with_shape(edge.parent)}"
                latex += f" = {flow_latex(trace, edge)} = {value_latex(value)}"
            else:
                value = number_text(trace.flows[edge])
                formula, formula_latex = flow_text(trace, edge), flow_latex(trace, edge)
                text += f" = {formula} = {numbers_text(trace, edge)} = {value}"
                latex += f" = {formula_latex} = {numbers_latex(trace, edge)} = {number_latex(value)}"
            lines.append(Line(text, latex, level=1, label=f"to {names.text[edge.parent]}:"))
        constants = [names.text[parent] for parent in node.parents if not parent.needs_grad]
        if constants:
            lines.append(Line(f"nothing to {' and '.join(constants)}: constant", level=1))
    return Part("(c) Backward pass: the product along each edge, and where it is sent", lines)


def sums(trace: Trace) -> Part:
    """Return for every node the sum, over its children, of what they sent it: its gradient."""
    trace.require_gradients()
    names = trace.names
    output = trace.output
    lines = [Line(f"{names.derivative(output)} = 1", f"{names.derivative_latex(output)} = 1")]
    for node in sorted(trace.gradients, key=lambda each: -each.number):
        received = trace.edges_to(node)
        if not received:
            continue
        text = f"{names.derivative(node)} = " + " + ".join(partials_text(trace, edge) for edge in received)
        latex = f"{names.derivative_latex(node)} = " + " + ".join(partials_latex(trace, edge) for edge in received)
        flows = [trace.flows[edge] for edge in received]
        if len(flows) > 1 and all(each.size <= 4 for each in flows):
            text += " = " + " + ".join(operand(value_text(flow)) for flow in flows)
            latex += " = " + " + ".join(operand(value_latex(flow)) for flow in flows)
        text += f" = {value_text(trace.gradients[node])}"
        latex += f" = {value_latex(trace.gradients[node])}"
        lines.append(Line(text, latex))
    return Part("(d) At each node: the sum over its children", lines)


def formulas(trace: Trace) -> Part:
    """Return every gradient as a formula in those of its children, with its shape: what a program computes."""
    trace.require_gradients()
    names = trace.names
    lines = [Line(f"{names.derivative(trace.output)} = 1", f"{names.derivative_latex(trace.output)} = 1")]
    for node in sorted(trace.gradients, key=lambda each: -each.number):
        received = trace.edges_to(node)
        if received:
            shape = shape_text(node.shape)
            lines.append(Line(f"{names.derivative(node)} = {' + '.join(flow_text(trace, edge) for edge in received)}"
                              f"   shape {shape}",
                              f"{names.derivative_latex(node)} = "
                              f"{' + '.join(flow_latex(trace, edge) for edge in received)} "
                              rf"\qquad \text{{shape {shape}}}"))
    return Part("Gradients as formulas", lines)


def step(trace: Trace, learning_rate: float, chosen: Any = None) -> Part:
    """Return one step of gradient descent: each new parameter and the new loss."""
    trace.require_gradients()
    if not learning_rate > 0:
        raise InputError(f"The learning rate must be a positive number, but got {learning_rate!r}.")
    names, rate = trace.names, number_text(learning_rate)
    parameters = trained(trace) if chosen is None else [trace.node(each) for each in chosen]
    lines = [Line(f"Each parameter moves against its gradient: new w = w - {rate} * dL/dw.".replace(
        "dL", f"d{names.text[trace.output]}"))]
    changed = {}
    for node in parameters:
        changed[node] = node.value - learning_rate * trace.gradients[node]
        name, latex = names.text[node], names.latex[node]
        values = (node.value, trace.gradients[node], changed[node])
        if node.size > 4:
            lines.append(Line(f"new {name} = {name} - {rate} * {names.derivative(node)} = {value_text(changed[node])}",
                              rf"{latex}^{{\text{{new}}}} = {latex} - {number_latex(rate)} \cdot "
                              rf"{names.derivative_latex(node)} = {value_latex(changed[node])}"))
            continue
        old, grad, new = map(value_text, values)
        old_latex, grad_latex, new_latex = map(value_latex, values)
        lines.append(Line(f"new {name} = {name} - {rate} * {names.derivative(node)} = {old} - {rate} * "
                          f"{operand(grad)} = {new}",
                          rf"{latex}^{{\text{{new}}}} = {latex} - {number_latex(rate)} \cdot "
                          rf"{names.derivative_latex(node)} = {old_latex} - {number_latex(rate)} \cdot "
                          rf"{operand(grad_latex)} = {new_latex}"))
    lines.append(Line("The forward pass with the new parameters:"))
    values_after = recompute(trace.order, changed)
    for node in trace.computed():
        assert node.operation is not None
        name, latex, value = names.text[node], names.latex[node], values_after[node]
        if all(each.ndim == 0 for each in node.parents + (node,)):
            numbers = [number_text(values_after[parent]) for parent in node.parents]
            lines.append(Line(f"{name} = {apply_text(node.operation, numbers)} = {number_text(value)}",
                              f"{latex} = {apply_latex(node.operation, list(map(number_latex, numbers)))} = "
                              f"{value_latex(value)}", level=1))
        else:
            lines.append(Line(f"{name} = {value_text(value)}", f"{latex} = {value_latex(value)}", level=1))
    before, after = number_text(trace.output.value), number_text(values_after[trace.output])
    lines.append(Line(f"{names.text[trace.output]} was {before} and is {after} after the step."))
    return Part(f"(g) One step of gradient descent with learning rate {rate}", lines)


def _with_shape(node: Node) -> str:
    """Return a remark on the shape of a node whose value stands before it; large ones are described by it already."""
    return f"   shape {shape_text(node.shape)}" if node.ndim and node.size <= LARGEST_PRINTED else ""


def trained(trace: Trace) -> List[Node]:
    """Return the leaves that a step changes: those of a module's parameters if there are any, else all variables."""
    parameters = trace.parameters()
    of_modules = [node for node in parameters if node.parameter is not None]
    return of_modules or parameters
