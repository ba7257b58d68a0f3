"""What fit and train are given, checked before the first step."""
from __future__ import annotations

import copy
from typing import Any, Mapping, Optional, Tuple

import numpy as np

from lib.inspection.recording import numpy_random_state_kept
from lib.fitting.weights import checked_weights, counted
from lib.inspection.trained import trained_parameters
from lib.network_base import Module
from lib.validation import InputError, refuse_masked, require_loss, require_module, require_positive, require_size

RESERVED = ("loss", "lr", "seconds")  # measures that fit adds itself


def require_training_objects(model: Any, loss_fn: Any, optimizer: Any, who: str, scheduler: Any = None) -> None:
    """Raise InputError for what is no model, loss, optimiser or schedule, or an optimiser of another model."""
    for role, given, example in (("model", model, "Sequential(...)"), ("loss_fn", loss_fn, "CrossEntropyLoss()"),
                                 ("optimizer", optimizer, "SGD(model.parameters(), lr=0.1)"),
                                 ("scheduler", scheduler, "CosineAnnealingLR(optimizer, T_max=10)")):
        if isinstance(given, type):
            raise InputError(f"{who} expects {role} to be an object, but got the class {given.__name__}. Write "
                             f"{given.__name__}({example.partition('(')[2]}.")
    require_module("model", model, who)
    require_loss(loss_fn, who)
    if not (hasattr(optimizer, "step") and hasattr(optimizer, "zero_grad")):
        raise InputError(f"{who} expects optimizer to be one, such as SGD(model.parameters(), lr=0.1), but got "
                         f"a {type(optimizer).__name__}.")
    own = {id(param) for param in trained_parameters(model, who)}
    trained = {id(param) for param in getattr(optimizer, "_params", [])}
    if hasattr(optimizer, "_params") and not trained & own:
        raise InputError(f"{who} got an optimiser that trains none of the model's parameters. Was the model made anew "
                         "after it? Make the optimiser from this model's parameters().")
    held = [param for _, param in model.named_parameters(constants=True)] + list(getattr(loss_fn, "parameters", list)())
    if trained - {id(param) for param in held} and hasattr(optimizer, "_params"):  # it trains what isn't there
        for name, param in model.named_parameters():
            if id(param) not in trained:
                raise InputError(f"{who} would leave {name} as it is: the optimiser trains something that isn't in the "
                                 "model instead. Was a layer or Parameter exchanged after the optimiser was made? Then "
                                 "make the optimiser anew, from this model's parameters().")
    if hasattr(optimizer, "lr"):
        require_positive("the optimiser's lr", optimizer.lr, who, zero_allowed=True)
    if scheduler is not None and not callable(getattr(scheduler, "step", None)):
        raise InputError(f"{who} expects scheduler to be one, such as CosineAnnealingLR(optimizer, T_max=10), but got "
                         f"a {type(scheduler).__name__}.")
    if scheduler is not None and getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise InputError(f"{who} got a schedule of another optimiser than the one that trains. Make it from this one.")


def checked_data(x: Any, y: Any, who: str, names: Tuple[str, str] = ("x", "y")) -> Tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels as arrays of numbers with a row for each example.

    Raises:
        InputError: they aren't that, or haven't the same number of rows.
    """
    arrays = []
    for name, given in zip(names, (x, y)):
        if given is None:
            raise InputError(f"{who} got no {name}: it is None.")
        if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
            raise InputError(f"{who} got a masked array as {name}, whose masked entries would count as numbers. Leave "
                             "those examples out, or fill them: array.filled(value).")
        if isinstance(given, (list, tuple)):  # of rows, which may be masked
            refuse_masked(given, f"{who} ({name})")
        try:
            array = np.asarray(given)
            if array.dtype == object:
                array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{who} expects {name} to be an array of numbers with a row for each example, but got a "
                             f"{type(given).__name__} that NumPy can't turn into one ({error}).") from None
        if array.dtype.kind not in "fiub":
            raise InputError(f"{who} expects {name} to be numbers, but got {array.dtype}. Encode classes by "
                             "lib.utilities.one_hot_encoding, and dates as days since one of them.")
        arrays.append(array)
    if any(array.ndim == 0 or not len(array) for array in arrays) or len(arrays[0]) != len(arrays[1]):
        raise InputError(f"{who} expects {names[0]} and {names[1]} to have a row for each example, and at least one, "
                         f"but got the shapes {arrays[0].shape} and {arrays[1].shape}. (load_mnist_data "
                         "returns x_train, x_val, x_test, y_train, y_val, y_test.)")
    return arrays[0], arrays[1]


def checked_validation(validation: Any, x: np.ndarray, y: np.ndarray) -> Optional[Tuple[np.ndarray, ...]]:
    """Return fit's validation as arrays whose examples look like those of x and y, with weights if given, or None."""
    if validation is None:
        return None
    if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
        raise InputError("fit expects validation to be a pair, (x_val, y_val), but got "
                         f"{'one array' if isinstance(validation, np.ndarray) else f'a {type(validation).__name__}'}. "
                         "Weights of its examples may be a third part.")
    pair = checked_data(validation[0], validation[1], "fit (validation)")
    for name, given, like in (("inputs", pair[0], x), ("labels", pair[1], y)):
        if given.shape[1:] != like.shape[1:]:
            raise InputError(f"fit expects validation {name} of the shape of the training data's, one example "
                             f"{like.shape[1:]}, but got {given.shape[1:]}.")
    if not validation[2:]:
        return pair
    weights = checked_weights(validation[2], None, pair[1], "fit (validation: a pair, and a third)")
    weights, x_val, y_val = counted(weights, *pair)
    return pair if weights is None else (x_val, y_val, weights)


def require_measures(metrics: Mapping[str, Any], early_stopping: Any, has_validation: bool) -> None:
    """Raise InputError for metrics that aren't functions or have a measure's name, or a monitor that isn't there."""
    if not isinstance(metrics, Mapping):
        raise InputError("fit expects metrics to be a dict of functions of (predictions, labels) by name, but got "
                         f"{metrics!r}.")
    for name, metric in metrics.items():
        if not isinstance(name, str) or name in RESERVED or name.startswith("val_"):
            raise InputError(f"fit can't call a metric {name!r}: {', '.join(RESERVED)} and names that begin with val_ "
                             "are its own measures. Choose another name.")
        if not callable(metric):
            raise InputError(f"fit expects each metric to be a function of (predictions, labels), but {name!r} is "
                             f"a {type(metric).__name__}.")
    if early_stopping is None:
        return
    measures = ["loss", *metrics]
    known = measures + ([f"val_{name}" for name in measures] if has_validation else []) + ["lr", "seconds"]
    if not hasattr(early_stopping, "monitor"):
        raise InputError("fit expects early_stopping to be EarlyStopping(...), from lib.fitting.history, but got "
                         f"{early_stopping!r}.")
    if early_stopping.monitor not in known:
        raise InputError(f"Early stopping can't find the measure {early_stopping.monitor!r} among {', '.join(known)}. "
                         "Give fit a validation set, or monitor another measure.")
    require_size("patience", early_stopping.patience, early_stopping)
    require_positive("min_delta", early_stopping.min_delta, early_stopping, zero_allowed=True)


def require_last_batch(model: Module, x: np.ndarray, batch_size: int) -> None:
    """Raise InputError if the last batch is a single example that the model can't be trained on, as with BatchNorm."""
    if len(x) % batch_size != 1:
        return
    with numpy_random_state_kept(), np.errstate(all="ignore"):
        try:
            copy.deepcopy(model).train()(x[-1:])
        except InputError as error:
            raise InputError(f"{len(x)} examples in batches of {batch_size} leave one for the last batch, and the "
                             f"model can't be trained on that: {error} Or give fit drop_last=True.") from None
