"""Training by SciPy's optimisers, which take the loss and its gradient as functions of one vector of all parameters.

Methods such as BFGS estimate the curvature from the gradients of successive steps, and search along each direction for
a good step length. On small problems, on which the whole data set is one batch, they reach far lower losses than
gradient descent, without a learning rate.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from lib.inspection.trained import trained_parameters
from lib.layers.initializers import Initializer, initialize
from lib.network_base import Module, Parameter
from lib.steps.conditions import why_not_apart
from lib.steps.gradient import CompiledGradient
from lib.steps.threads import blas_threads
from lib.validation import (InputError, as_float, optional_import, random_source, require_choice, require_loss,
                            require_size)


class MinimizeResult(NamedTuple):
    """What minimize found: its best loss, and how each start ended."""

    loss: float  # the loss of the parameters that the model has now: the smallest of `losses`
    losses: List[float]  # the final loss of each start
    converged: List[bool]  # whether SciPy reports success, for each start
    num_iterations: List[int]  # of each start
    messages: List[str]  # SciPy's words on why each start ended

    @property
    def best_start(self) -> int:
        """The start that led to the smallest loss, counted from 0."""
        return self.losses.index(self.loss)


def minimize(model: Module, loss_fn: Any, x: np.ndarray, y: np.ndarray, method: str = "BFGS", n_starts: int = 1,
             initializer: Union[str, Initializer] = "own", rng: Optional[np.random.Generator] = None,
             options: Optional[Dict[str, Any]] = None, compiled: bool = False,
             threads: Optional[int] = None) -> MinimizeResult:
    """Train a model by one of SciPy's optimisers, from several starts, and leave it with the best parameters found.

    The first start is from the parameters that the model has; for each further one they are drawn anew. A loss with
    many local minima has a different end for different starts: look at `losses`.

    Args:
        model: the model; what it computes must not be random, as dropout is.
        loss_fn: takes (model(x), y).
        x, y: the whole data set.
        method: a method of scipy.optimize.minimize that uses the gradient: "BFGS", "L-BFGS-B", "CG", ...
        n_starts: how many starts.
        initializer: how the parameters are drawn anew: see lib.layers.initializers.initialize.
        rng: draws the starts; NumPy's global random state when it isn't given.
        options: SciPy's options of the method. Unless they are given, gtol is 1e-6 and maxiter 10,000 where the
            method has them.
        compiled: whether loss and gradient are computed by lib.steps.gradient, which is faster, in place of the
            modules' own code: at the beginning of each start and at its end, both are compared.
        threads: how many threads BLAS may use meanwhile; by default, as many as the network's products can use.

    Returns:
        The losses, and how each start ended.

    Raises:
        InputError: the model has no parameters, the method is unknown, or no start led to a finite loss. Then the
            parameters are what they were. Compiled, also a NotCompilable, which says what can't be compiled.
        DifferentResult: compiled, something else would be minimised than what is written; see lib.steps.gradient.

    Source: scipy.optimize; for BFGS: J. Nocedal, S. Wright: Numerical optimization, chapter 6.
    """
    require_size("n_starts", n_starts, "minimize")
    optimize = optional_import("scipy.optimize", "scipy", "minimize")
    params = trained_parameters(model, "minimize")
    tied = why_not_apart(model)
    if tied is not None:
        raise InputError(f"minimize sets each parameter by itself: {tied} Train by fit, or give both one Parameter.")
    require_loss(loss_fn, "minimize")
    for name, values in (("x", x), ("y", y)):
        if as_float(values, f"minimize ({name})").ndim == 0:
            raise InputError(f"minimize expects {name} to have a row for each example, but got {values!r}.")
    require_choice("compiled", compiled, (True, False), "minimize")
    if not isinstance(method, str) or not (options is None or isinstance(options, Mapping)):
        raise InputError("minimize expects method to be a name, such as 'BFGS', and options to be a dict, such as "
                         f"{{'maxiter': 100}}, but got {method!r} and {options!r}.")
    random_source(rng, "minimize")
    compiled_gradient = CompiledGradient(model, loss_fn) if compiled else None
    objective = loss_and_gradient(model, loss_fn, x, y, params, compiled_gradient)
    best, best_loss = flat_data(params), np.inf
    runs: List[Any] = []
    try:
        with blas_threads(threads, model, x, len(x)):
            for start in range(n_starts):
                if start > 0:
                    initialize(model, initializer, rng)
                runs.append(_run(optimize, objective, flat_data(params), method, options))
                if compiled_gradient is not None:
                    compiled_gradient.end_epoch()
                    objective(runs[-1].x)  # compared, as it is the first batch since
                    compiled_gradient.end_epoch()
                if runs[-1].fun < best_loss:  # a loss of NaN is not
                    best, best_loss = runs[-1].x, float(runs[-1].fun)
    finally:  # also after Ctrl-C: what was found so far is kept
        if compiled_gradient is not None:
            compiled_gradient.end_epoch()
        set_flat_data(params, best)
    if best_loss == np.inf:
        raise InputError(f"minimize: none of the {n_starts} starts led to a finite loss. Are there NaNs in the data, "
                         "or are the initial parameters too large?")
    return MinimizeResult(best_loss, [float(run.fun) for run in runs], [bool(run.success) for run in runs],
                          [int(run.get("nit", 0)) for run in runs], [str(run.message) for run in runs])


def loss_and_gradient(model: Module, loss_fn: Any, x: np.ndarray, y: np.ndarray,
                      params: Sequence[Parameter], compiled_gradient: Optional[CompiledGradient] = None
                      ) -> Callable[[np.ndarray], Tuple[float, np.ndarray]]:
    """Return a function from a vector of all parameters to the loss and its gradient, as a vector of that order.

    Each call leaves the model with these parameters. With a compiled_gradient, that computes both.
    """
    def objective(vector: np.ndarray) -> Tuple[float, np.ndarray]:
        set_flat_data(params, vector)
        if compiled_gradient is not None:
            loss = float(compiled_gradient.find(x, y)[0])
        else:
            model._zero_grad()
            loss = float(loss_fn(model(x), y))
            model.backward(loss_fn.backward())
        return loss, flat_grad(params).astype(np.float64, copy=False)  # SciPy computes in float64

    return objective


def _run(optimize: Any, objective: Callable[[np.ndarray], Tuple[float, np.ndarray]], start: np.ndarray, method: str,
         options: Optional[Dict[str, Any]]) -> Any:
    """Return SciPy's result of one start."""
    defaults: Dict[str, Any] = {"maxiter": 10000}
    if method.upper() in ("BFGS", "L-BFGS-B", "CG"):
        defaults["gtol"] = 1e-6
    try:
        return optimize.minimize(objective, start.astype(np.float64), jac=True, method=method,
                                 options={**defaults, **(options or {})})
    except ValueError as error:
        if "Unknown solver" in str(error):
            raise InputError(f"minimize: SciPy has no method {method!r}. Choose one that uses gradients, such as "
                             "\"BFGS\", \"L-BFGS-B\" or \"CG\".") from error
        raise


def flatten(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Return the entries of all arrays as one new vector.

    >>> flatten([np.array([[1, 2], [3, 4]]), np.array([5])]).tolist()
    [1, 2, 3, 4, 5]
    """
    pieces = [np.asarray(array).ravel() for array in arrays]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def unflatten(vector: np.ndarray, like: Sequence[np.ndarray]) -> List[np.ndarray]:
    """Return views of consecutive pieces of a vector, in the shapes of the arrays in `like`: flatten's inverse.

    >>> [array.tolist() for array in unflatten(np.arange(5), like=[np.zeros((2, 2)), np.zeros(1)])]
    [[[0, 1], [2, 3]], [4]]

    Raises:
        InputError: the vector hasn't as many entries as these arrays together.
    """
    ends = np.cumsum([array.size for array in like], dtype=int)
    total = int(ends[-1]) if len(like) else 0
    if np.shape(vector) != (total,):
        raise InputError(f"unflatten expects a vector of {total} entries for arrays of the shapes "
                         f"{[array.shape for array in like]}, but got shape {np.shape(vector)}.")
    return [vector[end - array.size:end].reshape(array.shape) for array, end in zip(like, ends)]


def flat_data(params: Iterable[Parameter]) -> np.ndarray:
    """Return a copy of the parameters' values as one vector."""
    return flatten(param.data for param in dict.fromkeys(params))


def flat_grad(params: Iterable[Parameter]) -> np.ndarray:
    """Return a copy of the parameters' gradients as one vector."""
    return flatten(param.grad for param in dict.fromkeys(params))


def set_flat_data(params: Iterable[Parameter], vector: Any) -> None:
    """Copy a vector into the parameters' values, in place.

    Raises:
        InputError: the vector hasn't as many entries as the parameters together; then nothing is changed.
    """
    params = list(dict.fromkeys(params))
    for param, piece in zip(params, unflatten(np.asarray(vector), [param.data for param in params])):
        param.data[...] = piece
