"""What is wrong with the gaps that aren't a module's backward: zero_grad, check_gradients and backward_pass.

Each function calls the student's own with objects whose right treatment is known, which are right whatever the other
gaps hold, and returns a sentence on the first thing that is wrong, or "" if nothing is.
"""
from __future__ import annotations

import inspect
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lib.network_base import Module, Parameter


class Misplaced(RuntimeError):
    """Stands for a wrong gradient that check_gradients has to report."""


# ---------------------------------------------------------------------- zero_grad

def wrong_with_zero_grad(zero_grad: Callable[[Any], Any]) -> str:
    """Try lists and tuples of parameters whose gradients hold numbers, or are None at first."""
    for start in ("numbers", "None"):
        for container in (list, tuple):
            rng = np.random.default_rng(0)
            params = [Parameter(rng.standard_normal(shape), name=name)
                      for name, shape in (("W", (3, 4)), ("b", (4,)), ("gamma", (2, 1)))]
            for param in params:
                param.grad = rng.standard_normal(param.data.shape) if start == "numbers" else None
            before = [(param.data.copy(), param.grad) for param in params]
            zero_grad(container(params))
            sentence = _not_reset(params, before)
            if sentence:
                return sentence
    return ""


def _not_reset(params: Sequence[Parameter], before: Sequence[Tuple[np.ndarray, Any]]) -> str:
    for param, (data, _) in zip(params, before):
        if np.shape(param.data) != data.shape or not np.array_equal(param.data, data):
            return f"it changes {param.name}.data, the values of a parameter: it is the gradient that is to be reset."
    untouched = [param.name for param, (_, grad) in zip(params, before) if param.grad is grad and (
        grad is None or np.any(grad))]
    if len(untouched) == len(params):
        return f"afterwards, every param.grad is as it was: {'None' if before[0][1] is None else 'full of numbers'}."
    if untouched:
        return (f"the first gradient is reset, that of {untouched[0]} isn't: a gradient that the loop doesn't reach? "
                "Does the function return inside of the loop?")
    for param in params:
        grad, shape = param.grad, param.data.shape
        whose = f"afterwards, {param.name}.grad "
        if grad is None:
            return whose + "is None: backward can't add to it."
        if not isinstance(grad, np.ndarray):
            return whose + (f"is {_shown(grad)}, not an array: it needs a zero for each number of {param.name}.data, "
                            "in the same shape.")
        if grad.shape != shape:
            return whose + f"has shape {grad.shape}: it must have the shape of {param.name}.data, {shape}."
        if grad.dtype.kind != "f":
            return whose + f"holds {grad.dtype}: backward adds decimal numbers to it."
        if np.any(grad != 0):
            return whose + f"isn't zero: it holds {_shown(grad[grad != 0][0])}, for one."
    if any(np.shares_memory(a.grad, b.grad) for i, a in enumerate(params) for b in params[i + 1:]):
        return "afterwards, two parameters share one array of zeros: each needs an array of its own."
    return ""


def _shown(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, (float, np.floating)) else repr(value)
    return f"the number {text}" if isinstance(value, (int, float, np.number)) else f"a {type(value).__name__}"


# ---------------------------------------------------------------------- check_gradients

def wrong_with_check_gradients(check_gradients: Callable[[], Any]) -> str:
    """Let it check, and note which modules; then let the network's gradients be wrong, and see whether it complains."""
    with _recorded_checks() as checked:
        check_gradients()
    names = [type(module).__name__ for module, _ in checked]
    networks = [module for module, _ in checked if type(module).__name__ == "Sequential"]
    missing = [name for name in ("ReLU", "Sigmoid", "Linear", "CrossEntropyLoss") if name not in names]
    if missing:
        return f"it doesn't check {' and '.join(missing)} any more, which it did when you got it."
    if not networks:
        return "it never calls check_gradients of a Sequential."
    if all(len(network.modules) < 2 for network in networks):
        return "the Sequential has fewer than two modules, so it can't show in which order backward visits them."
    if any(len(set(map(id, network.modules))) < len(network.modules) for network in networks):
        return "one module stands at two places of the Sequential: it remembers its last input only. Make two of them."
    if not any(module.parameters() for network in networks for module in network.modules):
        return "the Sequential has no parameters: put Linear layers into it."
    try:
        with _recorded_checks(spoilt="Sequential"):
            check_gradients()
    except Misplaced:
        return ""
    return "a wrong gradient of the network doesn't come out of it: is the error caught, in a try ... except?"


class _recorded_checks:
    """Inside this context, checking a module's gradients notes the module; what is wrong with `spoilt` is reported."""

    methods = ("check_gradients", "check_gradients_wrt_input", "check_gradients_wrt_params")

    def __init__(self, spoilt: str = "") -> None:
        self.spoilt, self.checked = spoilt, []  # type: Tuple[str, List[Tuple[Module, Any]]]

    def __enter__(self) -> List[Tuple[Module, Any]]:
        self.originals = [getattr(Module, name) for name in self.methods]

        def checks(original: Any) -> Any:
            def check(module: Module, *given: Any, **named: Any) -> None:
                input_args: Any = named.get("input_args", given[0] if given else None)
                if not isinstance(input_args, tuple) or not _takes(original, module, *given, **named):
                    return original(module, *given, **named)  # says what is wrong with it
                module.forward(*input_args)  # layers that don't fit together, or to the input, say so here
                self.checked.append((module, input_args))
                if type(module).__name__ == self.spoilt:
                    raise Misplaced(f"the gradients of {self.spoilt} are wrong")
            return check

        for name, original in zip(self.methods, self.originals):
            setattr(Module, name, checks(original))
        return self.checked

    def __exit__(self, *_: Any) -> None:
        for name, original in zip(self.methods, self.originals):
            setattr(Module, name, original)


def _takes(function: Callable[..., Any], *given: Any, **named: Any) -> bool:
    try:
        inspect.signature(function).bind(*given, **named)
        return True
    except TypeError:
        return False


# ---------------------------------------------------------------------- backward_pass

class _Layer(Module):
    """Holds parameters; its backward adds known numbers to their gradients, and notes that it was called."""

    def __init__(self, *shapes: Tuple[int, ...]) -> None:
        rng = np.random.default_rng(len(shapes))
        self.params = [Parameter(rng.standard_normal(shape), name=name) for name, shape in zip("Wb", shapes)]
        self.slopes = [rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape) for shape in shapes]
        self.calls: List[Any] = []

    def parameters(self) -> List[Parameter]:
        return self.params

    def forward(self, x: Any) -> Any:
        return x

    def backward(self, grad: Any) -> Any:
        self.calls.append(grad)
        for param, slope in zip(self.params, self.slopes):
            param.grad = param.grad + slope
        return 2 * grad if isinstance(grad, np.ndarray) else grad


class _Network(_Layer):
    """Two layers in a row, as a Sequential has them."""

    def __init__(self) -> None:
        self.modules = (_Layer((3, 2), (2,)), _Layer((2, 4)))
        self.calls: List[Any] = []

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules)

    def __getitem__(self, i: int) -> Module:
        return self.modules[i]

    def parameters(self) -> List[Parameter]:
        return [parameter for module in self.modules for parameter in module.parameters()]

    def backward(self, grad: Any) -> Any:
        self.calls.append(grad)
        first, last = self.modules
        grad = last.backward(grad)
        return first.backward(grad)


class _Loss(Module):
    """A loss whose backward returns a known array."""

    def __init__(self) -> None:
        self.grad, self.calls = np.array([[0.25, -0.25]]), 0

    def forward(self, preds: Any, labels: Any) -> float:
        return 1.0

    def backward(self, _: Any = None) -> np.ndarray:
        self.calls += 1
        return self.grad


def wrong_with_backward_pass(backward_pass: Callable[[Any, Any, float], Any]) -> str:
    """Let it take a step on a network whose gradients are known, with different learning rates."""
    for lr, start in ((0.3, 0.125), (0.3, 0.0), (1.0, 0.0)):  # 0.3: its square isn't a part of it, such as a quarter
        model, loss_fn = _Network(), _Loss()
        for param in model.parameters():
            param.grad = np.full(param.data.shape, start)
        before = [param.data.copy() for param in model.parameters()]
        backward_pass(model, loss_fn, lr)
        sentence = _not_descended(model, loss_fn, lr, before, start)
        if sentence:
            return sentence
    return ""


def _not_descended(model: _Network, loss_fn: _Loss, lr: float, before: Sequence[np.ndarray], start: float) -> str:
    moves = [param.data - data for param, data in zip(model.parameters(), before)
             if np.shape(param.data) == data.shape]
    if len(moves) < len(before):
        return "a parameter's data has another shape afterwards."
    slopes = [slope for module in model.modules for slope in module.slopes]
    if model.calls and callable(model.calls[0]):
        return "model.backward gets a method, not what that returns: the parentheses of the call are missing."
    if not loss_fn.calls:
        return "it never calls loss_fn.backward(): nothing is backpropagated from the loss."
    first, last = model.modules
    if not last.calls and not first.calls:
        return "it never calls model.backward: no gradient reaches the parameters."
    if len(last.calls) > 1 or len(first.calls) > 1:
        return "it goes backward through the model more than once: the gradients add up."
    if not model.calls and first.calls and np.array_equal(first.calls[0], loss_fn.grad):
        return "the gradient goes through the layers from the first on: the last comes first. model.backward does that."
    given = model.calls[0] if model.calls else last.calls[0] if last.calls else None
    if not isinstance(given, np.ndarray) or not np.array_equal(given, loss_fn.grad):
        return (f"model.backward gets {_described(given)}, not what loss_fn.backward() returns, dL/d(predictions).")
    if not first.calls or not np.array_equal(first.calls[0], 2 * given):
        return "the gradient doesn't go through the layers in reverse order: model.backward does that."
    still = [not np.any(move) for move in moves]
    if all(still):
        if not any(np.any(param.grad) for param in model.parameters()):
            return "no parameter moves, as every gradient is zero by then: it is reset before the update."
        return "no parameter moves: is there an update, and is its result put back into param.data?"
    if any(still):
        return f"{sum(still)} of {len(still)} parameters don't move."
    for steps, sentence in (
            (-lr, ""), (lr, "the parameters move along the gradient, uphill: the sign is wrong."),
            (-1.0, f"the parameters move by the whole gradient: the learning rate, here {lr:g}, is missing."),
            (1.0, "the parameters move along the gradient, uphill, and the learning rate is missing."),
            (-2 * lr, "the parameters move twice as far as they should: is the update done twice?"),
            (-lr / 2, "the parameters move half as far as they should."),
            (-lr * lr, "the learning rate is in the update twice."), (-1 / lr, "the gradient is divided by lr.")):
        for kept in (start, 0.0):  # what was in the gradients before may have been reset before
            if all(np.allclose(move, steps * (slope + kept), rtol=1e-9) for move, slope in zip(moves, slopes)):
                return sentence or _reset(model)
    if all(np.allclose(param.data, -lr * param.grad) for param in model.parameters()):
        return "param.data is the step itself afterwards, and its values of before are lost: is -= meant?"
    if start and all(np.allclose(move, -lr * start) for move in moves):
        return "the parameters move by the gradients of before: the update comes before the backward pass."
    factor = moves[0].flat[0] / (slopes[0].flat[0] + start)
    if all(np.allclose(move, factor * (slope + start), rtol=1e-9) for move, slope in zip(moves, slopes)):
        return f"the parameters move by {factor:.4g} times the gradient; with lr = {lr:g}, it should be {-lr:g} times."
    return _table(model, lr, before, moves)


def _reset(model: _Network) -> str:
    if not any(np.any(param.grad) for param in model.parameters()):
        return "the gradients are reset at the end, but are still to be looked at: zero_grad comes before each step."
    return ""


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.shape != (1, 2) else "other numbers"
    return repr(value) if value is None or isinstance(value, (int, float)) else f"a {type(value).__name__}"


def _table(model: _Network, lr: float, before: Sequence[np.ndarray], moves: Sequence[np.ndarray]) -> str:
    lines: List[str] = ["param.data isn't param.data - lr * param.grad afterwards. Three entries:",
                        f"    {'entry':>14} {'expected':>14} {'got':>14}"]
    wrong: Optional[int] = None
    for number, (param, data) in enumerate(zip(model.parameters(), before)):
        expected = data - lr * param.grad
        for index in map(tuple, np.argwhere(~np.isclose(param.data, expected, rtol=1e-9))[:3]):
            wrong = number if wrong is None else wrong
            if wrong == number:
                place = f"{param.name}{[int(i) for i in index]}"
                lines.append(f"    {place:>14} {expected[index]:>14.6g} {param.data[index]:>14.6g}")
    return "\n".join(lines)
