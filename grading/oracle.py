"""What is right: the reference, run by the parent on inputs that it draws afresh. None of this enters a box."""
from __future__ import annotations

import hashlib
import hmac
import importlib
import re
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from grading.layout import reference_files
from grading.sheet import Sheet, SheetError, Task

SPEC = re.compile(r"^\s*(\w+)\s*(?:\(([^()]*)\))?\s*$")


def generator(key: bytes, *parts: str) -> np.random.Generator:
    """Return a generator that nobody without the key can foresee, and that is the same for the same parts."""
    digest = hmac.new(key, "\0".join(parts).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32).tolist())


def _zeros_among(rng: np.random.Generator, shape: Tuple[int, ...]) -> np.ndarray:
    x = rng.standard_normal(shape)
    x.flat[::3] = 0.0
    return x


def _one_hot(rng: np.random.Generator, shape: Tuple[int, ...]) -> np.ndarray:
    return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]


DRAWS: Dict[str, Callable[[np.random.Generator, Tuple[int, ...]], Any]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "large": lambda rng, shape: 800 * rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.2, 2, shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "probabilities": lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    "bits": lambda rng, shape: rng.integers(0, 2, shape).astype(float),
    "activations": lambda rng, shape: np.maximum(rng.standard_normal(shape), 0),
    "zeros_among": _zeros_among,
    "one_hot": _one_hot,
    "number": lambda rng, shape: float(rng.uniform(0.5, 2)),
    "integer": lambda rng, shape: int(shape[0]),
}


def draw(spec: Any, rng: np.random.Generator) -> Any:
    """Return what a specification such as "normal(4, 3)" says; a list gives a list."""
    if isinstance(spec, list):
        return [draw(part, rng) for part in spec]
    if isinstance(spec, dict):
        return {name: draw(part, rng) for name, part in spec.items()}
    match = SPEC.match(str(spec))
    if not match or match.group(1) not in DRAWS:
        raise SheetError(f"A sheet.json describes an input as {spec!r}; expected one of {', '.join(DRAWS)}, with a "
                         "shape, such as normal(4, 3).")
    shape = tuple(int(length) for length in (match.group(2) or "").split(",") if length.strip())
    return DRAWS[match.group(1)](rng, shape)


class Oracle:
    """Builds reference modules and says where the names of a task's probes are found."""

    def __init__(self, sheet: Sheet, task: Task) -> None:
        assert task.gap is not None
        self.task = task
        self.own = importlib.import_module(task.gap.module)
        names = [path[:-len(".py")].replace("/", ".") for path in reference_files(sheet)]
        self.modules = [name[:-len(".__init__")] if name.endswith(".__init__") else name for name in names]

    def place(self, name: str) -> str:
        """Return the module in which a class stands."""
        if getattr(vars(self.own).get(name), "__module__", None) == self.own.__name__:
            return self.own.__name__
        for module_name in self.modules:
            found = vars(importlib.import_module(module_name)).get(name)
            if getattr(found, "__module__", None) == module_name:
                return module_name
        raise SheetError(f"Task {self.task.number} names {name!r}, which stands in none of the sheet's files.")

    def places(self, tree: Sequence[Any]) -> Dict[str, str]:
        """Return the modules of all classes in a tree such as ["Sequential", ["Linear", 2, 3]]."""
        found = {tree[0]: self.place(tree[0])}
        for part in tree[1:]:
            if isinstance(part, list):
                found.update(self.places(part))
        return found

    def build(self, tree: Sequence[Any]) -> Any:
        """Build the reference's module."""
        arguments = [self.build(part) if isinstance(part, list) else part for part in tree[1:]]
        return getattr(importlib.import_module(self.place(tree[0])), tree[0])(*arguments)


def set_parameters(module: Any, values: Sequence[np.ndarray]) -> None:
    """Give a reference module these parameters, and zero gradients."""
    for param, value in zip(module.parameters(), values):
        param.data = value.copy()
        param.grad = np.zeros_like(value)


def tensors(module: Any, result: Any, grads: Sequence[Any]) -> Dict[str, Any]:
    """Return gradients by name: "input", and each parameter as "W", or "1.W" where the name isn't the only one."""
    params = list(module.parameters())
    names: List[str] = []
    for i, param in enumerate(params):
        name = str(param.name)
        names.append(name if [str(other.name) for other in params].count(name) == 1 else f"{i // 2}.{name}")
    return dict(zip(["input"] + names, [result] + list(grads)))
