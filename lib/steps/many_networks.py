"""Thousands of small networks of one architecture, from many random starts or with many learning rates.

All networks see the same data, and each is what it would be by itself. Compiled, small ones are trained at once: every
array gets one more axis, the runs, so that an operation on all runs is one call of NumPy over long rows, where one
network after the other would cost a call each.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from lib.inspection.recording import numpy_random_state_kept
from lib.inspection.trained import trained_parameters
from lib.layers import Dropout, Linear, RegularizedCrossEntropy
from lib.network_base import Module
from lib.optimizers import create_optimizer
from lib.steps import make_step
from lib.steps.conditions import flat_layers
from lib.steps.convolutions import RULES
from lib.steps.memory import NotCompilable
from lib.steps.stacked import StackedParameters, StackedProgram
from lib.steps.threads import blas_threads
from lib.steps.together import NetworksTogether
from lib.validation import (InputError, as_float, refuse_masked, require_choice, require_loss, require_positive,
                            require_size)

MAX_PRODUCTS = 20000  # multiplications in a step of one network; with more, one by one is faster, as BLAS is then


class TrainedNetworks(NamedTuple):
    """What train_many returns.

    Attributes:
        seeds: the seed of each run.
        lr: the learning rate of each run.
        parameters: the parameters after training, each with the runs as its first axis, such as (runs, in, out).
        epochs: after how many epochs the losses were measured.
        losses: (len(epochs), runs).
        create_model: makes an untrained network.
    """

    seeds: List[int]
    lr: np.ndarray
    parameters: List[np.ndarray]
    epochs: List[int]
    losses: np.ndarray
    create_model: Callable[[], Module]

    def model(self, run: int) -> Module:
        """Return the trained network of one run."""
        with numpy_random_state_kept():
            np.random.seed(self.seeds[run])  # what isn't trained is as it was in this run
            model = self.create_model()
        for parameter, values in zip(model.parameters(), self.parameters):
            parameter.data = values[run].copy()
        return model


def train_many(create_model: Callable[[], Module], loss_fn: Any, x: Any, y: Any, epochs: int,
               seeds: Union[int, Sequence[int]] = 100, lr: Any = 1.0, optimizer: str = "sgd",
               hyperparams: Optional[Mapping[str, Any]] = None, batch_size: Optional[int] = None,
               record_every: Optional[int] = None, chunk_bytes: int = 2 ** 22, compiled: bool = False,
               threads: Optional[int] = None) -> TrainedNetworks:
    """Train many networks, each from its own random start.

    >>> from lib.dataset import X, y
    >>> from lib.activations import ReLU
    >>> from lib.losses import CrossEntropyLoss
    >>> from lib.network import Linear, Sequential
    >>> create_xor_net = lambda: Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    >>> trained = train_many(create_xor_net, CrossEntropyLoss(), X, np.eye(2)[y], epochs=300, seeds=20, compiled=True)
    >>> trained.losses.shape, trained.parameters[0].shape
    ((1, 20), (20, 2, 2))
    >>> bool((trained.losses < 0.1).any()), bool((trained.losses > 0.6).any())  # some starts succeed, some don't
    (True, True)

    Args:
        create_model: returns an untrained network; run i calls it after np.random.seed(seeds[i]).
        loss_fn: the loss.
        x: inputs, (N, features).
        y: labels, in the shape that the loss expects.
        epochs: how often to go through the data.
        seeds: one for each run, or the number of runs, whose seeds are then 0, 1, 2, ...
        lr: the learning rate, one for all runs or one for each.
        optimizer, hyperparams: the name and the other arguments of the optimiser, as for create_optimizer.
        batch_size: examples a step, in the order in which they stand in x; all in one step when it isn't given.
        record_every: measure the loss after so many epochs each; only after the last when it isn't given.
        chunk_bytes: compiled, the networks are trained in groups whose arrays take about this much memory: what fits
            into the processor's cache is fastest, and each group has its own comparisons.
        compiled: whether the steps are compiled, which is up to a thousand times as fast for small networks, in place
            of the modules' own code. On each epoch's first batch, one of the networks that are trained at once, in
            turn, is compared with what its modules and its optimiser compute; large ones are trained one after the
            other, by lib.steps.compiled.
        threads: how many threads BLAS may use meanwhile; by default, as many as a network's products can use.

    Returns:
        The trained networks and their losses on all of x.

    Raises:
        InputError: an argument doesn't fit; compiled, also a NotCompilable, which says what can't be compiled.
        DifferentResult: compiled, something else would be trained than what is written.
    """
    if not callable(create_model):
        raise InputError("train_many expects a function that makes a model, such as lambda: Sequential(Linear(2, 2)), "
                         f"but got {create_model!r}.")
    require_loss(loss_fn, "train_many")
    require_choice("compiled", compiled, (True, False), "train_many")
    require_size("chunk_bytes", chunk_bytes, "train_many", least=0)
    if not (isinstance(hyperparams, Mapping) or hyperparams is None):
        raise InputError("train_many expects hyperparams to be a dict, such as {'momentum': 0.9}, but got "
                         f"{hyperparams!r}.")
    refuse_masked(y, "train_many (labels)")
    x, y = as_float(x, "train_many (inputs)"), np.asarray(y)
    if x.ndim == 0:
        raise InputError(f"train_many expects inputs with a row for each example, (N, ...), but got {x.item()!r}.")
    batch_size = len(x) if batch_size is None else batch_size
    record_every = epochs if record_every is None else record_every
    for name, value in (("epochs", epochs), ("record_every", record_every), ("batch_size", batch_size)):
        require_size(name, value, "train_many")
    run_seeds = list(range(seeds) if isinstance(seeds, (int, np.integer)) else seeds if np.iterable(seeds) else [seeds])
    for seed in run_seeds:
        require_size("a seed", seed, "train_many", least=0)
    rates = [lr] * len(run_seeds) if np.ndim(lr) == 0 else list(lr)
    if len(rates) != len(run_seeds) or not run_seeds:
        raise InputError("train_many expects one learning rate for all runs or one for each, and at least one run, "
                         f"but got {len(rates)} learning rates for {len(run_seeds)} seeds.")
    for rate in rates:
        require_positive("lr", rate, "train_many", zero_allowed=True)
    batches = [slice(start, start + batch_size) for start in range(0, len(x), batch_size)]
    recorded = sorted({epochs, *range(record_every, epochs + 1, record_every)})
    task = Task(create_model, loss_fn, x, y, batches, recorded, optimizer, dict(hyperparams or {}), compiled)
    parameters: List[List[np.ndarray]] = []
    losses: List[np.ndarray] = []
    with numpy_random_state_kept(), np.errstate(over="ignore", invalid="ignore"):
        model = task.new_model(run_seeds[0])
        trained_parameters(model, "train_many")
        loss_fn(model(x), y)  # what doesn't fit is said before any time is spent
        runs_at_once = task.runs_at_once(model, chunk_bytes)
        train = task.train_together if runs_at_once else task.train_alone
        with blas_threads(threads, model, x, batch_size):
            for start in range(0, len(run_seeds), runs_at_once or 1):
                chunk = slice(start, start + (runs_at_once or 1))
                chunk_parameters, chunk_losses = train(run_seeds[chunk], rates[chunk])
                parameters.append(chunk_parameters)
                losses.append(chunk_losses)
    stacked = [np.concatenate(pieces) for pieces in zip(*parameters)]
    return TrainedNetworks(run_seeds, np.array(rates, dtype=float), stacked, recorded, np.concatenate(losses, axis=1),
                           create_model)


class Task(NamedTuple):
    """What all runs have in common."""

    create_model: Callable[[], Module]
    loss_fn: Any
    x: np.ndarray
    y: np.ndarray
    batches: List[slice]
    recorded: List[int]
    optimizer: str
    hyperparams: Dict[str, Any]
    compiled: bool

    def new_model(self, seed: int) -> Module:
        """Return the untrained network of the run with this seed."""
        np.random.seed(seed)
        return self.create_model()

    def new_optimizer(self, parameters: Any, lr: float) -> Any:
        """Return a new optimiser of these parameters."""
        return create_optimizer(self.optimizer, parameters, {**self.hyperparams, "lr": lr})

    def train_alone(self, seeds: Sequence[int], rates: Sequence[float]) -> Tuple[List[np.ndarray], np.ndarray]:
        """Train one network by itself; returns its parameters and losses, with an axis of one run."""
        model = self.new_model(seeds[0])
        step = make_step(model, self.loss_fn, self.new_optimizer(model.parameters(), rates[0]), compiled=self.compiled)
        losses = []
        for epoch in range(1, self.recorded[-1] + 1):
            model.train()
            for batch in self.batches:
                step.step(self.x[batch], self.y[batch])
            step.end_epoch()
            if epoch in self.recorded:
                losses.append([float(self.loss_fn(model.eval()(self.x), self.y))])
        return [parameter.data[np.newaxis] for parameter in model.parameters()], np.array(losses)

    def train_together(self, seeds: Sequence[int], rates: Sequence[float]) -> Tuple[List[np.ndarray], np.ndarray]:
        """Train networks at once; returns their parameters, each (runs, ...), and their losses."""
        together = NetworksTogether(self, [self.new_model(seed) for seed in seeds], rates)
        losses = []
        for epoch in range(1, self.recorded[-1] + 1):
            together.compared_step(self.batches[0], run=(epoch - 1) % len(seeds))
            for batch in self.batches[1:]:
                together.step(batch)
            if epoch in self.recorded:
                losses.append([float(self.loss_fn(preds, self.y)) for preds in together.predict()])
        return together.parameters(), np.array(losses)

    def runs_at_once(self, model: Module, chunk_bytes: int) -> int:
        """Return how many networks make up chunk_bytes, or 0 if they are to be trained one by one.

        Raises:
            NotCompilable: they are to be compiled, but can't be.
        """
        if not self.compiled:
            return 0
        layers = flat_layers(model)
        make_step(model, self.loss_fn, self.new_optimizer(model.parameters(), 1.0), compiled=True)  # says why not
        n = max(len(self.x[batch]) for batch in self.batches)
        products = 3 * n * sum(layer.W.data.size for layer in layers if isinstance(layer, Linear))
        constants = [parameter.data for _, parameter in model.named_parameters(constants=True) if parameter.constant]
        if not {type(layer) for layer in layers} <= set(RULES) - {Dropout} or type(layers[0]) is not Linear or \
                type(self.loss_fn) is RegularizedCrossEntropy or any(array.any() for array in constants) or \
                self.x.ndim != 2 or self.x.dtype != layers[0].W.data.dtype or products > MAX_PRODUCTS:
            return 0
        flat = StackedParameters([model])
        try:
            program = StackedProgram(layers, self.loss_fn, flat, n, self.x.shape[1])
        except NotCompilable:
            return 0
        return max(1, chunk_bytes // (program.num_bytes + 4 * flat.data.nbytes))
