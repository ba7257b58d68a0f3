"""Formulas whose plain form overflows or loses digits, in a form that doesn't; and what is known of arrays: whose they
are, and whether they hold probabilities or labels.
"""
from __future__ import annotations

import warnings
from collections import deque
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Iterable, Mapping, Tuple
from weakref import WeakValueDictionary, ref

import numpy as np

from lib.validation import InputError, as_float, name_of, require_not_empty


class LossValue(np.float64):
    """The value of a loss: a number like any other, which says where backpropagation starts."""

    def backward(self, *_: Any) -> None:
        raise AttributeError("A loss is a number here, and knows nothing of the network. Backpropagation starts at the "
                             "loss function, loss_fn.backward(), and what that returns goes to the model's backward.")


def memory_of(array: Any) -> Any:
    """Return the array that holds the memory of this one: itself, or what it is a view of."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


def in_precision_of(x: np.ndarray, result: Any) -> Any:
    """Return a result in the precision of the input: float32 in, float32 out, whatever the weights are."""
    return result if result is None or result.dtype is x.dtype else result.astype(x.dtype)


def stable_sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow: the exponential is only taken of numbers up to 0."""
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    e = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1, e) / (1 + e)
    return y.astype(x.dtype, copy=False)  # NumPy 1 widens single float32 numbers


def stable_softmax(x: np.ndarray) -> np.ndarray:
    """Return exp(x_i) / sum_j exp(x_j) along the last axis; the shift by the maximum cancels and prevents overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Return log softmax of each row in float64, also of infinite logits: the greatest ones share the probability."""
    x = x.astype(np.float64)
    top = x.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        shifted = np.where((x == top) & (top > -np.inf), 0.0, x - top)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def weighted_sum(weights: np.ndarray, values: np.ndarray) -> Any:
    """Return sum of weights * values in float64, where a weight of 0 makes 0 of anything, infinity included."""
    with np.errstate(invalid="ignore"):
        return np.where(weights == 0, 0.0, weights * values).sum(dtype=np.float64)


def stable_softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x)) without overflow, as max(x, 0) + log(1 + exp(-|x|))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


class OwnArray:
    """Base class of what holds an array of floats, `data`, that is its own: nobody else changes it unawares."""

    # Whose array is at a place in memory: what is given to one owner alone is copied, what belongs to one is shared.
    _OWNERS: "WeakValueDictionary[int, OwnArray]" = WeakValueDictionary()
    _data: Any = None

    def _set_data(self, data: Any) -> None:
        """Copy the values, integers and lists included; the array of another owner, or a view of it, is shared.

        So W2.data = W1.data.T ties two layers, while models that are given the same array don't influence each other.
        A piece of a larger array is shared, too, as long as no other owner has it: so all parameters can be pieces of
        one flat vector.
        """
        if data is self._data:  # changed in place, as by data -= lr * grad
            return
        array = as_float(data, f"{type(self).__name__}.data")
        self.share(array if array is data and self._is_to_be_shared(array) else np.array(array))

    @classmethod
    def _is_to_be_shared(cls, array: np.ndarray) -> bool:
        """Return whether an array is an owner's already, or a piece of a larger one that no owner has yet."""
        memory = memory_of(array)
        owner = cls._OWNERS.get(id(memory))
        if owner is None or memory_of(owner._data) is not memory:
            return array.size < memory.size
        return owner._data.size == memory.size or not np.shares_memory(array, owner._data)

    def share(self, array: np.ndarray) -> None:
        """Take this very array, not a copy of it: whoever changes one changes the other."""
        self._data = array
        self._OWNERS[id(memory_of(array))] = self

    def __getstate__(self) -> Any:
        """What is copied of a view is its memory and its place there: so copies of those who share it share a copy."""
        memory = memory_of(self._data)
        if memory is self._data or not memory.flags.forc:
            return vars(self)
        return {**vars(self), "_data": (memory, *_place_of(self._data, memory))}

    def __setstate__(self, state: Any) -> None:
        """A copy owns its array, too."""
        vars(self).update(state)
        self.share(_view(*self._data) if isinstance(self._data, tuple) else self._data)

    data = property(attrgetter("_data"), _set_data, doc="The values, always an array of floats.")


def renew(owners: Any, dtype: Any = None) -> None:
    """Give these owners new arrays, of a precision if it is given; those who shared memory share the new one."""
    memories = [memory_of(owner.data) for owner in owners]
    flat = {id(memory): memory.ravel("K").astype(dtype or memory.dtype) for memory in memories
            if sum(memory is other for other in memories) > 1}
    for owner, memory in zip(owners, memories):
        if id(memory) in flat:
            owner.share(_view(flat[id(memory)], *_place_of(owner.data, memory)))
        else:
            owner.data = owner.data.astype(dtype or memory.dtype)


def _place_of(array: np.ndarray, memory: np.ndarray) -> Tuple[Any, ...]:
    """Return where an array stands in the memory that it is a view of: first entry, shape, strides, all in entries."""
    start = (array.__array_interface__["data"][0] - memory.__array_interface__["data"][0]) // memory.itemsize
    return start, array.shape, tuple(stride // memory.itemsize for stride in array.strides)


def _view(memory: np.ndarray, start: int, shape: Tuple[int, ...], strides: Tuple[int, ...]) -> np.ndarray:
    """Return the view of this memory whose place is given."""
    size = memory.itemsize
    return np.ndarray(shape, memory.dtype, memory.ravel("K"), start * size, tuple(stride * size for stride in strides))


def items_of(value: Any) -> Iterable[Tuple[str, Any]]:
    """Return (place, item) of what a container holds, places as Python would write them, such as "[0]" or ".name".

    Containers are lists, tuples, deques, arrays of objects, dicts, dataclasses, namespaces, and objects of one's own
    that have a length, or a forward, as what isn't derived from Module; anything else holds nothing.
    """
    kind = type(value)
    if kind in _HOLD_NOTHING or isinstance(value, OwnArray) or kind is np.ndarray and not value.dtype.hasobject:
        return ()  # most of what a module has, said quickly
    if isinstance(value, Mapping):
        return ((f"[{key!r}]", item) for key, item in value.items())
    if isinstance(value, (list, tuple, deque)) or kind is np.ndarray and value.ndim:
        return ((f"[{i}]", item) for i, item in enumerate(value))
    if isinstance(value, SimpleNamespace) or any(
            hasattr(value, name) for name in ("__dataclass_fields__", "forward", "__len__")):
        return ((f".{name}", item) for name, item in getattr(value, "__dict__", {}).items())
    return ()


_HOLD_NOTHING = {type(None), bool, int, float, complex, str, bytes, np.float64, np.random.Generator}


# ---------------------------------------------------------------------- probabilities in the place of logits

_last_probabilities: Any = (lambda: None, "")  # a weak reference to what the last Softmax or Sigmoid gave, and which


def note_probabilities(module: Any, y: np.ndarray) -> np.ndarray:
    """Return y, and remember that it holds probabilities, so that a loss that expects logits can warn."""
    global _last_probabilities
    if type(y) is np.ndarray:
        _last_probabilities = ref(y), name_of(module)
    return y


def warn_of_probabilities(loss: Any, preds: Any, activation: str) -> None:
    """Warn if the predictions have gone through an activation that this loss contains."""
    if _last_probabilities[0]() is preds is not None and _last_probabilities[1] == activation:
        warnings.warn(f"{name_of(loss)} contains the {activation} already and expects the logits before it. With "
                      f"{activation} twice, training is slow and ends early: leave {activation}() out of the model.",
                      stacklevel=4)


# ---------------------------------------------------------------------- labels of classes

def checked_classes(module: Any, logits: Any, labels: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Return logits and one-hot labels, both (N, K), as float arrays in the precision of the logits."""
    logits, labels = as_float(logits, module), as_float(labels, module)
    if logits.ndim != 2 or labels.shape != logits.shape or not logits.size:
        _explain_shapes(name_of(module), logits.shape, labels)
    require_one_hot(module, labels)
    return logits, in_precision_of(logits, labels)


def _explain_shapes(who: str, shape: Tuple[int, ...], labels: np.ndarray) -> None:
    """Raise the InputError that fits logits and labels whose shapes aren't (N, K) both."""
    if len(shape) != 2:
        raise InputError(f"{who} expects predictions with 2 dimensions, (N, K): one row of K logits for each example, "
                         f"but got {len(shape)} dimensions: {shape}. For one example, use preds.reshape(1, -1).")
    if labels.shape in (shape[:1], shape[:1] + (1,)) and labels.shape != shape:
        raise InputError(f"{who} expects one-hot labels of shape (N, K) = {shape}, but got shape {labels.shape}, which "
                         "looks like class numbers. Convert them first: one_hot_encoding(y, num_classes="
                         f"{shape[1]}), from lib.utilities.")
    if labels.shape != shape:
        raise InputError(f"{who} expects labels of the shape of the predictions, (N, K) = {shape}, but got shape "
                         f"{labels.shape}: one row for each example, one column for each class.")
    raise InputError(f"{who} got an empty batch of shape {shape}: the mean over no example is not defined.")


def require_one_hot(module: Any, labels: np.ndarray) -> None:
    """Raise InputError unless each row of labels (N, K) sums to 1, up to rounding, with no number below 0.

    So soft labels, which are probabilities, are accepted, too. NaN passes on into the loss, where it shows.
    """
    global _one_hot
    if (few := (labels.shape, labels.dtype.char, labels.tobytes()) if labels.size < 100 else object()) == _one_hot:
        return  # the labels of the last call, number by number
    excess = np.add.reduce(labels, axis=1) - 1.0  # labels.sum(axis=1), which takes longer for few labels
    if not (excess.dot(excess) < 1e-6 and np.count_nonzero(labels) == len(labels)):  # not a single 1 in each row
        bad = (np.abs(excess) > 1e-3) | (labels < 0).any(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{name_of(module)} expects each row of labels to sum to 1 (one-hot), but row {row} is "
                             f"{labels[row].tolist()}. Are predictions and labels swapped, or are these not one-hot? "
                             "See one_hot_encoding in lib.utilities.")
    _one_hot = few


_one_hot: Any = None  # the last few labels that were right


def checked_pair(module: Any, preds: Any, labels: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Return predictions and labels as float arrays of one shape; NumPy would broadcast (n, 1) against (n,)."""
    preds = as_float(preds, f"{name_of(module)} (predictions)")
    labels = as_float(labels, f"{name_of(module)} (labels)")
    if preds.shape != labels.shape:
        advice = "Give both the same shape."
        if preds.size == labels.size:
            advice = (f"Both hold {preds.size} numbers: bring them into one shape with "
                      f"labels.reshape({', '.join(map(str, preds.shape))}).")
        raise InputError(f"{name_of(module)} expects predictions and labels of the same shape, but got predictions "
                         f"{preds.shape} and labels {labels.shape}; broadcasting would give a wrong loss. {advice}")
    if preds.size == 0:
        require_not_empty(preds, module)
    if preds.ndim == 0:
        raise InputError(f"{name_of(module)} expects predictions and labels with a batch axis, such as (N,) or (N, K), "
                         "but got single numbers. Wrap them: np.array([prediction]).")
    return preds, labels if labels.dtype is preds.dtype else labels.astype(preds.dtype)  # labels widen no gradient
