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
from lib.gradient_checking.course import coding_tasks
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.flows import flow
from lib.graph.modules import forward_on_nodes
from lib.graph.node import constant, variable
from lib.graph.notation import TEXT, equation, sum_of
from lib.graph.page.document import Page
from lib.graph.page.lines import BEFORE, Line, run_line_by_line
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
    title = {"wrong": "why its gradients are wrong", "ok": "its gradients are right"}.get(
        report.verdict, f"its gradients are {report.verdict}")
    data: Dict[str, Any] = {"title": f"{report.module}: {title}", "before": BEFORE,
                            "verdict": report.verdict, "place": report.place, "tensors": [], "lines": [], "right": [],
                            "causes": [{"sentence": cause.sentence, "evidence": cause.evidence,
                                        "question": cause.question} for cause in report.causes[:3]],
                            "problems": [problem for problem in report.problems
                                         if all(problem not in cause for cause in report.causes)],
                            "warnings": list(report.warnings),
                            "verdicts": [[tensor.name, tensor.verdict, tensor.reason] for tensor in report.tensors]}
    upstream = _upstream(module, inputs)
    expected = _numeric_gradients(module, inputs, upstream)
    own, lines, raised = run_line_by_line(copy.deepcopy(module), inputs, upstream)
    data["raised"] = raised
    for name, numbers in expected.items():
        data["tensors"].append(_tensor(name, numbers, own.get(name)))
    part, part_inputs, path = _wrong_part(module, inputs) if report.verdict == "wrong" else (module, inputs, "")
    if part is not module:
        data["part"] = f"{path}, of class {type(part).__name__}"
        upstream = _upstream(part, part_inputs)
        expected = _numeric_gradients(part, part_inputs, upstream)
        own, lines, raised = run_line_by_line(copy.deepcopy(part), part_inputs, upstream)
    right, known = _right_backward(part, part_inputs, upstream)
    wrong = {name: own.get(name) for name, numbers in expected.items()
             if not _tensor(name, numbers, own.get(name))["fits"]}
    data["lines"] = [line._replace(results=[])._asdict() for line in _marked(lines, known, wrong, raised)]
    if report.hints >= FORMULAS_FROM or not _is_of_the_sheet(part):
        data["right"] = right
    else:
        data["warnings"].append("The right backward of a gap of the sheet is shown at level 3 of hints; the course's "
                                "level is \"hints\" in exercises/backpropagation/sheet.json.")
    if lines and wrong and not any(line["mark"] for line in data["lines"]):
        data["warnings"].append("No line is marked: no line's own result could be told from those of the right "
                                "backward.")
    return Page(data, SCRIPTS)


def write_report_page(module: Module, inputs: Tuple[Any, ...], path: Union[str, Path]) -> Path:
    """Write the page of a check of a module's gradients to an HTML file, and return its path."""
    return report_page(module, inputs).save(path)


# ---------------------------------------------------------------------- which code

def _wrong_part(module: Module, inputs: Tuple[Any, ...], path: str = "") -> Tuple[Module, Tuple[Any, ...], str]:
    """Return the innermost part that is wrong by itself, with what it gets in the module's forward and where it stands;
    the module itself if each of its parts is right.
    """
    seen: List[Tuple[str, Module, Tuple[Any, ...]]] = []
    watched = copy.deepcopy(module)
    children = watched.children()

    def watch(label: str, child: Module) -> None:
        forward = child.forward

        def noting(*args: Any) -> Any:
            seen.append((label, child, tuple(copy.deepcopy(args))))
            return forward(*args)

        vars(child)["forward"] = noting

    for label, child in children:
        watch(label, child)
    state = np.random.get_state()
    try:
        watched.forward(*inputs)
    except Exception:  # then there is no part to be shown
        return module, inputs, path
    finally:
        np.random.set_state(state)
        for _, child in children:
            vars(child).pop("forward", None)
    for label, child, given in seen:
        if check_module(child, given).verdict == "wrong":
            return _wrong_part(child, given, f"{path or type(module).__name__}{label}")
    return module, inputs, path


def _is_of_the_sheet(module: Module) -> bool:
    """Tell whether the backward of a module, or of a part of it, is a gap of the sheet."""
    gaps = {(task.file[:-3].replace("/", "."), task.name.split(".")[0]) for task in coding_tasks()}
    return any((cls.__module__, cls.__name__) in gaps
               for _, part in module.named_modules() for cls in type(part).__mro__)


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
    data: Dict[str, Any] = {"name": name, "shape": list(expected.shape), "fits": False, "got": None, "worst": [],
                            "adds": name != "input"}
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
        data.setdefault("reason", f"It has {expected.size} entries, too many for a map" + (
            ": all are right." if data["fits"] else "; the worst are listed."))
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
        output = forward_on_nodes(copy.deepcopy(module), *nodes)
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


def _marked(lines: List[Line], known: List[np.ndarray], wrong: Dict[str, Any], raised: Optional[str]) -> List[Line]:
    """Return the lines of a backward with one of them marked, if something is wrong.

    It is the first line whose result stands nowhere in the right backward; where there is none, as all numbers also
    occur elsewhere or the right backward isn't known, the last line that made a wrong gradient.
    """
    if not wrong or raised:
        return lines
    for k, line in enumerate(lines):
        if known and line.results and not all(any(_same(result, each) for each in known) for result in line.results):
            return lines[:k] + [line._replace(mark="here the numbers part")] + lines[k + 1:]
    if wrong.get("input", 0) is None and lines:
        return lines[:-1] + [lines[-1]._replace(mark="nothing is returned")]
    for k in range(len(lines) - 1, -1, -1):
        if any(_same(result, np.asarray(each)) for result in lines[k].results for each in wrong.values()
               if isinstance(each, (np.ndarray, float, int))):
            return lines[:k] + [lines[k]._replace(mark="this line makes what is wrong")] + lines[k + 1:]
    return lines


def _same(one: Any, other: np.ndarray) -> bool:
    one, other = np.asarray(one, float), np.asarray(other, float)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True))
