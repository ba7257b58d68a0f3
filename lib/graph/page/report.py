"""A page on why a gradient is wrong: expected, got and difference as heat maps, the cause, and where the paths part.

    write_report_page(module, (x,), "why.html")

The checker says what is wrong and why. Beside the student's own backward stands the right one, read off the graph of
the module's own forward, where NumPy's functions on nodes can follow it; the first line whose result stands nowhere in
the right one is marked.
"""
from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from lib.gradient_checking import check_module
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.flows import flow
from lib.graph.modules import trace
from lib.graph.node import constant, variable
from lib.graph.notation import TEXT, equation, sum_of
from lib.graph.page.document import Page
from lib.graph.page.lines import Line, run_line_by_line
from lib.network_base import Module, is_loss

SCRIPTS = ("page_elements.js", "page_report.js")
MOST_ENTRIES = 400  # of a tensor, to be drawn as a map
FORMULAS_FROM = 3  # the level of hints from which on the right formulas are shown


def report_page(module: Module, inputs: Tuple[Any, ...]) -> Page:
    """Return the page of a check of a module's gradients.

    Args:
        module: the module whose backward is checked; it is left as it was.
        inputs: the inputs of its forward, as a tuple.
    """
    report = check_module(module, inputs)
    data: Dict[str, Any] = {"title": f"{report.module}: why its gradients are {report.verdict}",
                            "verdict": report.verdict, "place": report.place, "problems": list(report.problems),
                            "warnings": list(report.warnings), "tensors": [], "lines": [], "right": [],
                            "causes": [{"sentence": cause.sentence, "evidence": cause.evidence,
                                        "question": cause.question} for cause in report.causes[:3]],
                            "verdicts": [[tensor.name, tensor.verdict, tensor.reason] for tensor in report.tensors]}
    upstream = _upstream(module, inputs)
    expected = _numeric_gradients(module, inputs, upstream)
    own, lines, raised = run_line_by_line(copy.deepcopy(module), inputs, upstream)
    data["raised"] = raised
    for name, numbers in expected.items():
        got = own.get(name)
        data["tensors"].append(_tensor(name, numbers, got))
    right, known = _right_backward(module, inputs, upstream)
    data["lines"] = [line._asdict() for line in _marked(lines, known, report.verdict == "wrong")]
    if report.hints >= FORMULAS_FROM:
        data["right"] = right
    else:
        data["warnings"].append("The right backward isn't shown at the course's level of hints.")
    return Page(data, SCRIPTS)


def write_report_page(module: Module, inputs: Tuple[Any, ...], path: Union[str, Path]) -> Path:
    """Write the page of a check of a module's gradients to an HTML file, and return its path."""
    return report_page(module, inputs).save(path)


# ---------------------------------------------------------------------- numbers

def _upstream(module: Module, inputs: Tuple[Any, ...]) -> Any:
    """Return an upstream gradient with numbers that differ, or None for a loss, which takes none."""
    if is_loss(module):
        return None
    output = np.asarray(copy.deepcopy(module).forward(*inputs))
    return np.round(np.random.default_rng(0).uniform(-1, 1, output.shape), 2)


def _numeric_gradients(module: Module, inputs: Tuple[Any, ...], upstream: Any) -> Dict[str, np.ndarray]:
    """Return d(sum of upstream * output) by the first input and by each parameter, from central differences."""
    module = copy.deepcopy(module)
    state = np.random.get_state()

    def value() -> float:
        np.random.set_state(state)  # dropout draws the same mask each time
        output = np.asarray(copy.deepcopy(module).forward(*arguments), float)
        return float(output if upstream is None else np.sum(upstream * output))

    arguments = [np.array(inputs[0], float), *inputs[1:]] if inputs else []
    arrays = {"input": arguments[0]} if arguments else {}
    for name, parameter in module.named_parameters():
        parameter.data = parameter.data.astype(float)
        arrays[name] = parameter.data
    found = {}
    try:
        for name, array in arrays.items():
            gradient = np.zeros(array.shape)
            for index in np.ndindex(array.shape):
                original, step = array[index], 1e-5 * max(1.0, abs(float(array[index])))
                array[index] = original + step
                above = value()
                array[index] = original - step
                gradient[index] = (above - value()) / (2 * step)
                array[index] = original
            found[name] = gradient
    finally:
        np.random.set_state(state)
    return found


def _tensor(name: str, expected: np.ndarray, got: Any) -> Dict[str, Any]:
    """Return what is drawn of one gradient, or where it is too large, of its worst entries alone."""
    scale = max(float(np.abs(expected).max(initial=0)), 1e-300)
    data: Dict[str, Any] = {"name": name, "shape": list(expected.shape), "fits": False, "got": None, "worst": []}
    if got is not None and np.shape(got) == expected.shape:
        got = np.asarray(got, float)
        difference = np.where(np.isfinite(got), np.abs(got - expected), np.inf)
        wrong = np.flatnonzero(difference > 1e-5 * scale + 1e-8)
        order = wrong[np.argsort(-difference.ravel()[wrong], kind="stable")]
        data.update(fits=not len(wrong), wrong=int(len(wrong)), worst=order[:5].tolist())
    else:
        data["reason"] = "Nothing came." if got is None else f"Its shape is {np.shape(got)}, expected {expected.shape}."
    if expected.size <= MOST_ENTRIES:
        data["expected"] = _numbers(expected)
        data["got"] = _numbers(got) if "reason" not in data else None
    else:
        entries = data["worst"]
        data.setdefault("reason", f"It has {expected.size} entries, too many for a map; the worst are listed.")
        data["list"] = [[k, float(expected.ravel()[k]), _numbers(np.ravel(got)[k])[0]] for k in entries]
    return data


def _numbers(array: Any) -> List[Any]:
    return [float(each) if np.isfinite(each) else str(each) for each in np.ravel(np.asarray(array, float)).tolist()]


# ---------------------------------------------------------------------- the right backward, and where the paths part

def _right_backward(module: Module, inputs: Tuple[Any, ...], upstream: Any) -> Tuple[List[str], List[np.ndarray]]:
    """Return the lines of the right backward, and all numbers that stand in it; ([], []) where forward can't be traced.
    """
    try:
        nodes = [constant(value, name=f"input{i + 1}") if i else variable(np.asarray(value, float), name="x")
                 for i, value in enumerate(inputs)]
        output = trace(copy.deepcopy(module), *nodes)
        if output.size != 1 or upstream is not None:
            output = (output.named("y") if output.name is None else output)
            total = (constant(upstream, name="grad") * output).sum()
        else:
            total = output if output.name else output.named("L")
        derivation = Derivation(total)
    except Exception:  # whatever a forward does on nodes: then there is no second witness to show
        return [], []
    lines = [equation(derivation.names.term(node), derivation.names.formula(node)) for node in derivation.computed()]
    written = ["forward:"] + [f"    {TEXT.write(line)}" for line in lines] + ["backward:"]
    known: List[np.ndarray] = [np.asarray(value) for value in derivation.values.values()]
    for node in sorted(derivation.gradients, key=lambda each: -each.number):
        received = derivation.edges_to(node)
        known.append(np.asarray(derivation.gradients[node]))
        known += [np.asarray(derivation.flows[edge]) for edge in received]
        known += [_local(derivation, edge) for edge in received
                  if edge.child.operation is not None and edge.child.operation.elementwise]
        if received:
            terms = sum_of([flow(derivation, edge) for edge in received])
            written.append(f"    {TEXT.write(equation(derivation.names.partial(node), terms))}")
    return written, known


def _local(derivation: Derivation, edge: Any) -> np.ndarray:
    inputs = [derivation.values[parent] for parent in edge.child.parents]
    return np.asarray(edge.child.operation.backward(edge.i, np.ones_like(edge.child.value), edge.child.value, *inputs))


def _marked(lines: List[Line], known: List[np.ndarray], is_wrong: bool) -> List[Line]:
    """Return the lines of a backward, the first one marked whose result stands nowhere in the right backward."""
    part: Optional[int] = None
    if is_wrong and known:
        for k, line in enumerate(lines):
            if line.results and not all(any(_same(result, each) for each in known) for result in line.results):
                part = k
                break
    return [line._replace(parts=k == part, results=[]) for k, line in enumerate(lines)]


def _same(one: Any, other: np.ndarray) -> bool:
    one = np.asarray(one, float)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True))
