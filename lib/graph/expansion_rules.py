"""Which classes of modules are written out by a rule of their own, and which only pass nodes on to modules inside."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from lib.graph.node import Node

_rules: Dict[type, Callable[..., Node]] = {}  # how modules of a class are written out, where that isn't their forward
_passing_on: List[type] = []  # classes whose modules are never nodes themselves, but what is inside of them


def expansion(*module_classes: Any) -> Callable[[Any], Any]:
    """Register the decorated function of a module and its input nodes as the way to write these classes out.

    None in the place of a class stands for one that isn't there.
    """
    def register(rule: Any) -> Any:
        _rules.update(dict.fromkeys(filter(None, module_classes), rule))
        return rule
    return register


def passes_nodes_on(*module_classes: Any) -> None:
    """Say that modules of these classes only pass their input on to the modules inside of them."""
    _passing_on.extend(filter(None, module_classes))


def rule_of(module: Any) -> Optional[Callable[..., Node]]:
    """Return the rule of a module's class, or of the nearest one that it builds on."""
    return next((_rules[base] for base in type(module).__mro__ if base in _rules), None)


def is_passing_on(module: Any) -> bool:
    """Tell whether a module's class only passes nodes on; one beyond the sheets says it by `passes_nodes_on`."""
    return isinstance(module, tuple(_passing_on)) or getattr(type(module), "passes_nodes_on", False)
