"""How NumPy's functions find their rule on nodes: by name, for `np.exp(node)`, `lib.graph.exp` and `node.exp()` alike.

The table is FUNCTIONS. It holds the function of every Operation under the operation's name, which is NumPy's, and what
is composed of several operations or takes its arguments in another order: see composed.py and composed_numerics.py.
GIVES_ARRAYS lists what has the derivative zero everywhere or no numbers to differentiate: on nodes, these give plain
arrays. Any other function raises a NoRule that says what to do, rather than lose a gradient.
"""
from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np

from lib.graph.composed_numerics import LINALG
from lib.graph.operations import FUNCTIONS, node_in, register, value_of
from lib.graph.rules import NoRule, array_or_node

# NumPy's other names for the same
SYNONYMS = {"absolute": "abs", "fabs": "abs", "negative": "negate", "true_divide": "divide", "float_power": "power",
            "amax": "max", "amin": "min", "fmax": "maximum", "fmin": "minimum", "expit": "sigmoid", "around": "round",
            "round_": "round", "product": "prod", "row_stack": "vstack", "permute_dims": "transpose",
            "concat": "concatenate", "trapz": "trapezoid", "rad2deg": "degrees", "deg2rad": "radians"}
# Piecewise constant, or no numbers at all: nothing can flow back through them, so that plain arrays are exact.
GIVES_ARRAYS = """
    floor ceil trunc rint fix sign signbit heaviside floor_divide round isnan isinf isfinite isposinf isneginf
    equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logical_not
    argmax argmin nanargmax nanargmin argsort argpartition argwhere nonzero flatnonzero count_nonzero searchsorted
    digitize any all isclose allclose array_equal array_equiv iscomplexobj isrealobj iscomplex isreal
    shape ndim size zeros_like ones_like empty_like result_type can_cast common_type min_scalar_type
    histogram bincount unravel_index may_share_memory shares_memory array2string array_repr array_str
""".split()

ALONG_AXES = {"add.reduce": "sum", "multiply.reduce": "prod", "maximum.reduce": "max", "minimum.reduce": "min",
              "logaddexp.reduce": "logsumexp", "add.accumulate": "cumsum"}


def on_ufunc(ufunc: Any, method: str, inputs: Tuple[Any, ...], settings: Dict[str, Any]) -> Any:
    """Return ufunc(*inputs), of which at least one is or holds a node; or its reduce, accumulate or outer."""
    name = ufunc.__name__
    if settings.pop("out", None) is not None:
        raise NoRule(f"An array can't take up a node, as by += or by np.{name}(..., out=array): it holds "
                     "numbers alone, so the gradient would be lost. Make a new node: total = total + node.")
    rule = _rule_of(name)
    if method == "outer" and rule is not None:
        a, b = map(array_or_node, inputs)
        return rule(a.reshape(a.shape + (1,) * b.ndim), b.reshape((1,) * a.ndim + b.shape), **settings)
    if method != "__call__":
        settings = dict({"axis": 0}, **settings)
        rule = FUNCTIONS.get(ALONG_AXES.get(f"{name}.{method}", ""))
        name = f"{name}.{method}"
    if rule is None:
        raise _no_rule(f"np.{name}")
    return _called(rule, f"np.{name}", inputs, settings)


def on_function(function: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    """Return what a function of NumPy gives for arguments among which there are nodes."""
    place = (function.__module__ or "numpy").replace("numpy", "np")
    name = f"{place if place in ('np.linalg', 'np.fft') else 'np'}.{function.__name__}"
    rule = _rule_of(function.__name__)
    known = function.__name__ in LINALG if place == "np.linalg" else place in ("np", "np.lib.stride_tricks")
    if rule is None or not known:
        raise _no_rule(name)
    if kwargs.pop("out", None) is not None:
        raise NoRule(f"{name}(..., out=array) would put nodes into an array, which holds numbers alone, so the "
                     "gradient would be lost. Use the value that it returns.")
    return _called(rule, name, *_by_name(function, args, kwargs))


def _rule_of(name: str) -> Optional[Callable[..., Any]]:
    return FUNCTIONS.get(SYNONYMS.get(name, name))


def _of_values(name: str) -> Callable[..., Any]:
    """Return a function of NumPy that takes the numbers of nodes."""
    function = getattr(np, name)

    def of_values(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_values, args), **{key: _values(value) for key, value in kwargs.items()})

    of_values.__doc__ = f"Return np.{name} of the numbers."
    return of_values


def _values(value: Any) -> Any:
    """Return an argument with the numbers in place of nodes."""
    if isinstance(value, (list, tuple)) and node_in(value) is not None:
        return type(value)(map(_values, value))
    return value_of(value)


def _called(rule: Any, name: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    try:
        return rule(*args, **kwargs)
    except TypeError:
        signature = inspect.signature(rule)
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise NoRule(f"{name} on nodes doesn't take these arguments ({error}). It takes {signature}.") from None
        raise


def _by_name(function: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
    """Return the arguments of a function of NumPy with all but the first by name, and without those left as they are.

    NumPy's order isn't always that of the rules: the third argument of np.sum is dtype. Functions that are written in C
    don't say their arguments, and their rules take them in NumPy's order.
    """
    written = getattr(function, "__wrapped__", function)
    if not inspect.isfunction(written) or len(args) < 2 and not kwargs:
        return args, kwargs
    signature = inspect.signature(written)
    given = signature.bind(*args, **kwargs)
    first, rest = [], {}
    for key, value in given.arguments.items():
        parameter = signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            first += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            rest.update(value)
        elif parameter.default is parameter.empty and not rest:
            first.append(value)
        elif value is not parameter.default and value is not np._NoValue:
            rest[key] = value
    dtype = rest.pop("dtype", None)
    if dtype is not None:  # as in np.sum(x, dtype=np.float64)
        if np.dtype(dtype).kind != "f":
            raise NoRule(f"np.{function.__name__} with dtype={dtype} would lose the gradient, which is one of floats.")
        first[0] = FUNCTIONS["astype"](array_or_node(first[0]), dtype)
    return tuple(first), rest


def _no_rule(name: str) -> NoRule:
    return NoRule(f"{name} has no rule on nodes, so it would lose the gradient. Write it with those that have one (see "
                  "help(lib.graph)); where no gradient is to flow, compute with node.value.")


for _name in GIVES_ARRAYS:
    register(_name, _of_values(_name))
