"""What an operation of the graph is: the base class Operation, and the helpers that the rules are written with.

The operations themselves stand in the files of this package, one small class each. A class is found by being a subclass
of Operation that has a name, so that an operation stands in one place: its function (`lib.graph.exp`), the method of
nodes (`node.exp()`), NumPy's function on nodes (`np.exp(node)`), its tests and its line in the documentation follow.
"""
from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type

import numpy as np

from lib.graph.notation import Term
from lib.graph.notation import call as function
from lib.graph.notation.simplify import times


FUNCTIONS: Dict[str, Callable[..., Any]] = {}  # by name, all functions that know nodes: see lib.graph.numpy_functions


class Methods:
    """Base class of nodes, on which each function becomes a method: node.exp() is exp(node)."""

    __slots__ = ()
    _through: Callable[["Operation"], Any]  # what an operation of this node alone gives


def register(name: str, function: Callable[..., Any]) -> None:
    """Make a function known under its name: as lib.graph's, as NumPy's on nodes, and as a method of nodes."""
    FUNCTIONS[name] = function
    if name not in ("sort", "resize"):  # as methods of arrays, these change the array
        setattr(Methods, name, function)


class Operation:
    """One step of a computation: its value (forward), its derivatives (backward), and how both are written.

    The rules of an operation receive either arrays or nodes of a graph and use only what both understand. On arrays,
    backward computes numbers; on nodes, it builds the graph of the derivative, from which second derivatives come.

    Class attributes:
        name: the operation in a word, such as "multiply": NumPy's own name for it, where NumPy has it.
        shape_rule: the shape of the output from the shapes of the inputs, such as "(n, k) @ (k, m) -> (n, m)".
        elementwise: each output entry depends on the entry at the same place only, so the Jacobian is diagonal.
        broadcasts: the inputs are broadcast against each other, so their gradients must be summed back.
        analytic: forward also takes complex numbers, so the complex step can check the derivative.
        commutative: exchanging the two inputs changes nothing.
        speaks_for_itself: its own messages say all about inputs that don't fit, as those of modules do.
    """

    name = ""
    shape_rule = ""
    elementwise = False
    broadcasts = False
    analytic = True
    commutative = False
    speaks_for_itself = False
    _classes: List[Type["Operation"]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls):  # a class without a name of its own is a base of others, such as Elementwise
            Operation._classes.append(cls)
            register(cls.name, function_of(cls))

    @staticmethod
    def all() -> List[Type["Operation"]]:
        """Return the class of every operation there is, in the order of definition."""
        return list(Operation._classes)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple["Operation", Tuple[Any, ...]]]:
        """Return small situations, (operation, inputs), away from kinks, on which the tests run this operation."""
        raise NotImplementedError(f"{cls.__name__} doesn't define examples yet.")

    # ------------------------------------------------------------------ the mathematics

    def forward(self, *inputs: Any) -> Any:
        """Return the output for arrays."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define forward yet.")

    def backward(self, i: int, grad: Any, out: Any, *inputs: Any) -> Any:
        """Return what flows back to input i: grad = dL/d(out), times d(out)/d(input i).

        Where the operation broadcasts, the result may have the output's shape: the engine sums it back by unbroadcast.
        """
        raise NotImplementedError(f"{type(self).__name__} doesn't define backward yet.")

    # ------------------------------------------------------------------ the notation: see lib.graph.notation

    def formula(self, *names: Term) -> Term:
        """Return the operation on named inputs, such as a * b; by default a function, such as tanh(a)."""
        return function(self.name, *names, **{key: value for key, value in vars(self).items() if key != "name"})

    def definition(self, *names: Term) -> Optional[Term]:
        """Return what the formula means, in index form, where its name doesn't say it; None elsewhere."""
        return None

    def derivative(self, i: int, out: Term, *names: Term) -> Term:
        """Return d(out)/d(input i) in terms of the names of the output and the inputs, such as 1 - out ** 2.

        Elementwise, it is the diagonal entry. Otherwise it is the entry of the Jacobian, in index form.
        """
        raise NotImplementedError(f"{type(self).__name__} doesn't define derivative yet.")

    def flow(self, i: int, grad: Term, out: Term, *names: Term) -> Term:
        """Return what backward computes for input i, such as grad @ b.T; elementwise, grad times derivative."""
        return times(grad, self.derivative(i, out, *names))

    # ------------------------------------------------------------------ identity

    def _arguments(self) -> Tuple[str, ...]:
        """Return the settings of this operation as written in a call, such as ("axis=0",)."""
        return tuple(f"{key}={value!r}" for key, value in vars(self).items()
                     if value is not None and value is not False)

    def key(self) -> Any:
        """Return what two equal operations have in common: their class and settings, in hashable form."""
        return type(self), hashable(vars(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._arguments())})"


def hashable(setting: Any) -> Any:
    """Return a setting of an operation in a form that can be compared: arrays by their contents, not as printed."""
    if isinstance(setting, (tuple, list)):
        return type(setting).__name__, tuple(map(hashable, setting))
    if isinstance(setting, dict):
        return tuple((key, hashable(setting[key])) for key in sorted(setting))
    if isinstance(setting, np.ndarray):
        return setting.shape, str(setting.dtype), setting.tobytes()
    return repr(setting)


def call(operation: Operation, *args: Any) -> Any:
    """Apply an operation: to arrays, giving an array, or, if there is a node among them, to nodes, giving a node."""
    for arg in args:
        if getattr(arg, "is_graph_node", False):
            return arg.apply(operation, args)
    node = node_in(args)
    if node is not None:
        return node.apply(operation, args)
    return operation.forward(*map(np.asarray, args))


def function_of(operation_class: Type[Operation]) -> Callable[..., Any]:
    """Return the function of an operation: its inputs, then its settings; a joining operation takes a list of inputs.

    >>> function_of(Operation.all()[0]).__name__ == Operation.all()[0].name
    True
    """
    inputs = list(inspect.signature(operation_class.forward).parameters.values())[1:]
    settings = []
    if operation_class.__init__ is not object.__init__:
        settings = list(inspect.signature(operation_class.__init__).parameters.values())[1:]
    joins = inputs[0].kind is inputs[0].VAR_POSITIONAL
    if joins:
        inputs = [inputs[0].replace(kind=inputs[0].POSITIONAL_OR_KEYWORD)]
    signature, count = inspect.Signature(inputs + settings), len(inputs)
    same = None if settings else operation_class()

    def applied(*args: Any, **kwargs: Any) -> Any:
        if same is not None and len(args) == count and not kwargs:
            return args[0]._through(same) if count == 1 and isinstance(args[0], Methods) else call(same, *args)
        if len(args) < count:  # inputs are given by name
            given = signature.bind(*args, **kwargs).arguments
            args, kwargs = tuple(given.pop(each.name) for each in inputs), dict(given)
        return call(operation_class(*args[count:], **kwargs), *(args[0] if joins else args[:count]))

    applied.__name__ = applied.__qualname__ = operation_class.name
    applied.__doc__ = operation_class.__doc__
    applied.__signature__ = signature  # type: ignore[attr-defined]
    return applied


def node_in(value: Any) -> Any:
    """Return a node that is this value or stands in it (in a list, a tuple or an array of objects), None without one.

    >>> node_in([1.0, [2.0, 3.0]]) is None
    True
    """
    if getattr(value, "is_graph_node", False):
        return value
    if isinstance(value, np.ndarray):
        value = value.flat if value.dtype == object else ()
    elif not isinstance(value, (list, tuple)):
        return None
    return next((node for node in map(node_in, value) if node is not None), None)


def as_shape(shape: Any) -> Tuple[int, ...]:
    """Return a shape, given as a number or as a sequence of numbers, as a tuple."""
    return tuple(int(size) for size in np.ravel(shape))


def value_of(x: Any) -> Any:
    """Return the numbers of a node, or an array as it is: for masks, whose own derivative is zero."""
    return x.value if getattr(x, "is_graph_node", False) else x


def normalised_axes(axis: Any, ndim: int) -> Tuple[int, ...]:
    """Return an axis argument (None, a number or a tuple) as a tuple of axes counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    axes: Sequence[int] = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % ndim for a in axes)


def unbroadcast(grad: Any, shape: Tuple[int, ...]) -> Any:
    """Sum a gradient over the axes that broadcasting added or stretched, so that it gets the input's shape.

    An entry that broadcasting copied contributes to several outputs, and its derivative is the sum over all of them.

    >>> unbroadcast(np.ones((2, 3)), (3,)).tolist()
    [2.0, 2.0, 2.0]
    >>> unbroadcast(np.ones((2, 3)), (2, 1)).tolist()
    [[3.0], [3.0]]
    """
    if grad.shape == shape:
        return grad
    added = grad.ndim - len(shape)
    stretched = tuple(added + i for i, size in enumerate(shape) if size == 1 and grad.shape[added + i] != 1)
    return grad.sum(axis=tuple(range(added)) + stretched).reshape(shape)


for _file in pkgutil.iter_modules([os.path.dirname(__file__)]):  # an operation is there, whoever needs its file
    importlib.import_module(f"{__name__}.{_file.name}")
