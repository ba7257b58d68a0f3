"""Modules made of modules: which of them is wrong, or in what order and with what they are called."""
from __future__ import annotations

from typing import Any, Callable, List, Tuple

import numpy as np

from lib.gradient_checking.diagnose.calls import Calls, same
from lib.gradient_checking.diagnose.causes import cause
from lib.gradient_checking.diagnose.evidence import close
from lib.gradient_checking.examination import Examination
from lib.gradient_checking.report import Cause, GradientReport
from lib.network_base import Module, is_loss

Check = Callable[[Module, Tuple[Any, ...]], GradientReport]


def diagnose_parts(examination: Examination, check: Check) -> List[Cause]:
    """Return causes that lie in a part, found by checking it, or in how the parts are called."""
    if not examination.bench.module.children():
        return []
    try:
        calls = Calls(examination)
    except Exception:
        return []
    return _wrong_parts(calls, check) or _wrong_calls(calls)


def _wrong_parts(calls: Calls, check: Check) -> List[Cause]:
    """Check each part by itself, on the inputs that it gets here."""
    for call in calls.forward:
        try:
            report = check(call.module, call.inputs)
        except Exception:
            continue
        if not report.ok and report.causes:
            kind = type(call.module).__name__
            return [c._replace(sentence=f"The mistake is in {call.path}, a {kind}: {c.sentence}",
                               evidence=f"checked by itself, {call.path} is wrong: {c.evidence}")
                    for c in report.causes]
    return []


def wrong_at_ties(examination: Examination, check: Check) -> List[Cause]:
    """Return causes that lie in a part that takes the greatest of equal numbers, where the whole doesn't show it.

    Behind a ReLU, the zeros of a max-pooling's window tie, and whatever it hands back to them is lost in the ReLU. So
    each such part is checked where all of its inputs are equal, too.
    """
    parts = [part for _, part in examination.bench.module.children() if not part.children() and not part.parameters()]
    if not parts:
        return []
    try:
        calls = Calls(examination)
    except Exception:
        return []
    choosing = [call for call in calls.forward if any(call.module is part for part in parts)
                and isinstance(call.inputs[0], np.ndarray) and np.size(call.result) < call.inputs[0].size]
    calls.forward = [call for call in choosing if len(np.unique(call.inputs[0])) < call.inputs[0].size]
    found = _wrong_parts(calls, check)
    calls.forward = [call._replace(inputs=(np.zeros_like(call.inputs[0]), *call.inputs[1:])) for call in choosing]
    return found or [each for each in _wrong_parts(calls, check) if each.name == "counted several times at a tie"]


def _wrong_calls(calls: Calls) -> List[Cause]:
    if len(calls.forward) < 1:
        return []
    forward = [call.path for call in calls.forward]
    backward = [call.path for call in calls.backward]
    is_chain = all(b.inputs and same(a.result, b.inputs[0]) for a, b in zip(calls.forward, calls.forward[1:]))
    is_whole = same(calls.forward[-1].result, calls.output) and bool(calls.forward[0].inputs) and same(
        calls.forward[0].inputs[0], calls.point.inputs[0])  # else something stands before, between or after the parts
    if is_chain and is_whole and len(calls.forward) > 1:
        return _wrong_chain(calls, forward, backward)
    if _are_added(calls) and all(call.inputs and same(call.inputs[0], calls.point.inputs[0]) for call in calls.forward):
        return _wrong_paths(calls, forward, backward)
    missing = [call.path for call in calls.forward if call.path not in backward and _learns_nothing(call.module)]
    if missing and calls.error is None:
        return [cause("term missing", f"the backward of {', '.join(missing)} isn't called, so its share of the "
                      "gradient is missing")]
    if calls.error is None:
        return _of_dropped_results(calls)
    return []


def _of_dropped_results(calls: Calls) -> List[Cause]:
    """Judge parts that the input takes several ways through: what each of them returns must be added."""
    ways = [call for call in calls.backward if np.shape(call.result) == np.shape(calls.result)]
    used = [call.path for call in ways if same(calls.result, call.result)]
    others = ", ".join(dict.fromkeys(call.path for call in ways if call.path not in used))
    if len(used) == 1 and others:
        return [cause("term missing", f"only what the backward of {used[0]} returned is returned: what comes back from "
                      f"{others} isn't added")]
    return []


def _are_added(calls: Calls) -> bool:
    """Return whether the output is the sum of what the parts gave, and of the input if it fits; not so in a gate."""
    results = [np.asarray(call.result, dtype=float) for call in calls.forward if np.shape(call.result) ==
               calls.output.shape]
    total: Any = sum(results) if len(results) == len(calls.forward) else np.zeros(())
    x: Any = calls.point.inputs[0] if calls.point.inputs else np.zeros(0)
    return same(total, calls.output) or np.shape(x) == calls.output.shape and same(total + x, calls.output)


def _learns_nothing(module: Module) -> bool:
    """Return whether a part is a loss, or has parameters of which none received a gradient."""
    parameters = list(module.parameters())
    return not np.any([np.any(p.grad) for p in parameters]) if parameters else is_loss(module)


def _wrong_chain(calls: Calls, forward: List[str], backward: List[str]) -> List[Cause]:
    """Judge a chain of parts by the order of the calls and by what was handed from one to the next."""
    found: List[Cause] = []
    order = ", ".join(backward) or "none"
    if any(call.path not in backward for call in calls.forward_in_backward):  # else it is computed anew
        found.append(cause("another formula", "backward calls the forward of "
                           f"{calls.forward_in_backward[0].path} instead of its backward"))
    if calls.backward and len(set(backward)) > 1 and backward == forward[:len(backward)]:
        found.append(cause("layers in forward order", f"backward is called in the order {order}"))
    elif calls.error is not None and backward == forward[:len(backward)] and len(set(forward)) > 1 and \
            (backward or _first_to_fail(calls) == forward[0]):
        found.append(cause("layers in forward order", f"the first part that is called is {forward[0]}"))
    elif calls.error is not None and (backward or [_first_to_fail(calls)])[0] not in ("", forward[-1]):
        first = (backward or [_first_to_fail(calls)])[0]
        found.append(cause("layer skipped", f"the first part that is called is {first}", forward[-1]))
    skipped = [path for path in forward if path not in backward]
    handed = [call.inputs[0] for call in calls.backward if call.inputs]
    if len(handed) > 1 and all(same(value, calls.upstream) for value in handed) or (
            calls.error is not None and len(calls.backward) >= 1 and _got_upstream_again(calls)):
        failed = [_first_to_fail(calls)] if calls.error is not None else []
        found.append(cause("same gradient for every layer", f"{' and '.join(backward + failed)} get the upstream "
                           "gradient of the whole"))
    if calls.error is None and skipped:
        found.append(cause("layer skipped", f"the backward of {', '.join(skipped)} isn't called", skipped[0]))
    fewer = [path for path in dict.fromkeys(forward) if 0 < backward.count(path) < forward.count(path)]
    if calls.error is None and fewer:
        found.append(cause("layer skipped", f"the backward of {fewer[0]} is called {backward.count(fewer[0])} times "
                           f"for {forward.count(fewer[0])} forward passes", fewer[0]))
    twice = sorted({path for path in backward if backward.count(path) > forward.count(path)})
    if twice:
        found.append(cause("constant factor", f"the backward of {twice[0]} is called {backward.count(twice[0])} times "
                           "for one forward pass, so that its gradients are added several times"))
    if found:
        return found
    if handed and not same(handed[0], calls.upstream) and calls.backward[0].path == forward[-1]:
        found += _changed(handed[0], calls.upstream, f"what {forward[-1]} gets is not the upstream gradient")
    for before, after in zip(calls.backward, calls.backward[1:]):
        if not found and after.inputs and not same(after.inputs[0], before.result):
            words = f"what {after.path} gets isn't what {before.path} returned"
            found += _changed(after.inputs[0], before.result, words, before.inputs[0])
    if not found and calls.backward and not same(calls.result, calls.backward[-1].result):
        returned = f"what is returned isn't what {calls.backward[-1].path} returned"
        if same(calls.result, calls.upstream):
            found.append(cause("upstream gradient passed on unchanged", returned + ", but the upstream gradient"))
        elif calls.result is not None:
            found += _changed(calls.result, calls.backward[-1].result, returned)
    if not found and calls.error is None and len(calls.backward) == len(calls.forward):
        found.append(cause("stale cache", "each part by itself is right, and they are called in the right order, with "
                           "the right gradients: two of them must share a cache, as two uses of one module do"))
    return found


def _first_to_fail(calls: Calls) -> str:
    """Return the path of the part whose backward raised the exception."""
    frames = []
    step = calls.error.__traceback__ if calls.error is not None else None
    while step is not None:
        frames.append(step.tb_frame.f_locals.get("self"))
        step = step.tb_next
    owners = [call.path for frame in frames for call in calls.forward if frame is call.module]
    return owners[0] if owners else ""


def _got_upstream_again(calls: Calls) -> bool:
    """Return whether the part that failed was given the upstream gradient of the whole once more."""
    failed = _first_to_fail(calls)
    step = calls.error.__traceback__ if calls.error is not None else None
    given = None
    while step is not None:
        variables = step.tb_frame.f_locals
        if any(variables.get("self") is call.module for call in calls.forward):
            given = variables.get("grad", given)
            break
        step = step.tb_next
    return bool(failed) and isinstance(given, np.ndarray) and same(given, calls.upstream)


def _changed(got: Any, right: Any, words: str, extra: Any = None) -> List[Cause]:
    """Return what was done to a gradient on its way from one part to the next."""
    if not isinstance(got, (np.ndarray, np.number, float, int)):
        return [cause("not an array", f"{words}, but a {type(got).__name__}")]
    if np.shape(got) != np.shape(right):
        return [cause("another formula", words)]
    got, right = np.asarray(got, dtype=float), np.asarray(right, dtype=float)
    ratio = float((got * right).sum() / max(float((right * right).sum()), 1e-300))
    if close(got, ratio * right, float(np.max(np.abs(right)))) and ratio:
        if right.ndim and np.isclose(ratio, 1 / len(right)):
            return [cause("mean for sum", f"{words}, but that divided by N = {len(right)}")]
        if np.isclose(ratio, -1):
            return [cause("wrong sign", f"{words}, but that with the other sign")]
        return [cause("constant factor", f"{words}, but {ratio:.4g} times that")]
    if same(got, np.ones_like(right)):
        return [cause("upstream gradient ignored", f"{words}: it gets ones")]
    if same(got, right * right) or extra is not None and np.shape(extra) == got.shape and same(got, extra * right):
        return [cause("upstream gradient squared", f"{words}, but that multiplied by a gradient once more")]
    if same(got, np.abs(right)):
        return [cause("absolute value of the upstream gradient", f"{words}, but its absolute value")]
    return [cause("another formula", words)]


def _wrong_paths(calls: Calls, forward: List[str], backward: List[str]) -> List[Cause]:
    """Judge parts that all get the same input, side by side: their gradients must be added."""
    found: List[Cause] = []
    skip_labels = ("shortcut", "skip")
    for path in forward:
        if path not in backward and calls.error is None:
            is_skip = any(word in path.lower() for word in skip_labels)
            found.append(cause("skip path forgotten" if is_skip else "main path forgotten",
                               f"the backward of {path} isn't called"))
    if found or calls.error is not None or not isinstance(calls.result, np.ndarray):
        return found
    results = [call.result for call in calls.backward]
    upstream = calls.upstream
    for call in calls.backward:
        if len(call.inputs) == 1 and np.shape(call.inputs[0]) == upstream.shape and len(forward) == 1 and \
                not same(call.inputs[0], upstream):
            return _changed(call.inputs[0], upstream, f"what {call.path} gets is not the upstream gradient")
    ways = [r for r in results if np.shape(r) == calls.result.shape]
    has_identity = len(forward) == 1 and upstream.shape == calls.result.shape
    if has_identity and ways:
        r = ways[0]
        if same(calls.result, r):
            return [cause("skip path forgotten", f"what is returned is what {backward[0]} returned, and nothing else")]
        if same(calls.result, upstream):
            return [cause("main path forgotten", "what is returned is the upstream gradient, and nothing else")]
        if same(calls.result, upstream * r):
            return [cause("upstream gradient squared", "the gradients of both paths are multiplied instead of added")]
        if same(calls.result, r + 1):
            return [cause("upstream gradient ignored", "1 is added where the upstream gradient belongs")]
        if same(calls.result, upstream - r):
            return [cause("wrong sign", "the gradient of the main path is subtracted")]
        if same(calls.result, r - upstream):
            return [cause("wrong sign", "the gradient of the skip path is subtracted")]
        columns = np.stack([r.ravel(), upstream.ravel()], axis=1).astype(np.float64)
        factors = np.linalg.lstsq(columns, calls.result.ravel().astype(np.float64), rcond=None)[0]
        if np.allclose(factors, 1):
            return []  # what is returned is right
        if close(factors[0] * r + factors[1] * upstream, calls.result, float(np.max(np.abs(calls.result)))):
            return [cause("another formula", f"what is returned is {factors[0]:.3g} times the gradient of the main "
                          f"path plus {factors[1]:.3g} times the upstream gradient")]
    if not has_identity and len(ways) == 2:
        for way, path in zip(ways, backward[::-1]):
            if same(calls.result, way):
                name = "skip path forgotten" if any(w in path.lower() for w in skip_labels) else "main path forgotten"
                handed = [call.inputs[0] for call in calls.backward if call.inputs]
                if all(same(value, upstream) for value in handed):
                    return [cause(name, f"what {path} returned isn't added")]
                return [cause("another formula", "the paths are taken one after the other, not side by side")]
        if upstream.shape == calls.result.shape and any(same(calls.result, way + upstream) for way in ways):
            return [cause("another formula", "the skip path is taken for the identity, though it has a module")]
    return [cause("another formula", "what is returned isn't the sum of what comes back on all paths")]
