"""Thousands of small networks of one architecture, trained at once: many random starts, many learning rates.

All networks see the same data. Every array gets one more axis, the runs, as its last: an operation on all runs is then
one call of NumPy over long rows, where one network after the other would cost a call each. The result is the same as
training them one by one, which is also what happens where it is faster (large layers) or where there is no rule.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from lib.steps.conditions import flat_layers, why_not_compiled
from lib.steps.convolutions import RULES
from lib.steps.layers import CompiledLayer
from lib.steps.losses import LOSS_RULES
from lib.steps.memory import NotCompilable, Operation, Signal, Workspace
from lib.steps.program import straight_line
from lib.network import Linear
from lib.network_base import Module, Parameter
from lib.optimizers import create_optimizer
from lib.inspection.recording import numpy_random_state_kept
from lib.regularizers import Dropout
from lib.steps import make_step
from lib.validation import InputError, as_float, require_size

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
            model = self.create_model()
        for parameter, values in zip(model.parameters(), self.parameters):
            parameter.data = values[run].copy()
        return model


def train_many(create_model: Callable[[], Module], loss_fn: Any, x: Any, y: Any, epochs: int,
               seeds: Union[int, Sequence[int]] = 100, lr: Any = 1.0, optimizer: str = "SGD",
               hyperparams: Optional[Mapping[str, Any]] = None, batch_size: Optional[int] = None,
               record_every: Optional[int] = None, chunk_bytes: int = 2 ** 20) -> TrainedNetworks:
    """Train many networks, each from its own random start.

    >>> from lib.dataset import X, y
    >>> from lib.activations import ReLU
    >>> from lib.losses import CrossEntropyLoss
    >>> from lib.network import Linear, Sequential
    >>> create_xor_net = lambda: Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    >>> trained = train_many(create_xor_net, CrossEntropyLoss(), X, np.eye(2)[y], epochs=300, seeds=20)
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
        chunk_bytes: the networks are trained in groups whose arrays take about this much memory; what fits into the
            processor's cache is fastest.

    Returns:
        The trained networks and their losses on all of x.
    """
    x, y = as_float(x, "train_many (inputs)"), np.asarray(y)
    require_size("epochs", epochs, "train_many")
    require_size("record_every", record_every or epochs, "train_many")
    require_size("batch_size", batch_size or len(x), "train_many")
    run_seeds = list(range(seeds)) if isinstance(seeds, (int, np.integer)) else [int(seed) for seed in seeds]
    rates = np.broadcast_to(np.asarray(lr, dtype=float), np.shape(lr) or (len(run_seeds),))
    if len(rates) != len(run_seeds) or not run_seeds:
        raise InputError("train_many expects one learning rate for all runs or one for each, and at least one run, "
                         f"but got {len(rates)} learning rates for {len(run_seeds)} seeds.")
    batches = [slice(start, start + (batch_size or len(x))) for start in range(0, len(x), batch_size or len(x))]
    recorded = sorted({epochs, *range(record_every or epochs, epochs + 1, record_every or epochs)})
    task = Task(create_model, loss_fn, x, y, batches, recorded, optimizer, dict(hyperparams or {}))
    parameters: List[List[np.ndarray]] = []
    losses: List[np.ndarray] = []
    with numpy_random_state_kept(), np.errstate(over="ignore", invalid="ignore"):
        np.random.seed(run_seeds[0])
        model = create_model()
        loss_fn(model(x), y)  # what doesn't fit is said before any time is spent
        runs_at_once = task.runs_at_once(model, chunk_bytes)
        for start in range(0, len(run_seeds), runs_at_once or 1):
            chunk = slice(start, start + (runs_at_once or 1))
            train = task.train_together if runs_at_once else task.train_alone
            chunk_parameters, chunk_losses = train(run_seeds[chunk], rates[chunk])
            parameters.append(chunk_parameters)
            losses.append(chunk_losses)
    stacked = [np.concatenate(pieces) for pieces in zip(*parameters)]
    return TrainedNetworks(run_seeds, np.array(rates), stacked, recorded, np.concatenate(losses, axis=1), create_model)


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

    def new_model(self, seed: int) -> Module:
        """Return the untrained network of the run with this seed."""
        np.random.seed(seed)
        return self.create_model()

    def train_alone(self, seeds: Sequence[int], rates: np.ndarray) -> Tuple[List[np.ndarray], np.ndarray]:
        """Train one network by itself; returns its parameters and losses, with an axis of one run."""
        model = self.new_model(seeds[0])
        optimizer = create_optimizer(self.optimizer, model.parameters(), {**self.hyperparams, "lr": rates[0]})
        step = make_step(model, self.loss_fn, optimizer)
        losses = []
        for epoch in range(1, self.recorded[-1] + 1):
            model.train()
            for batch in self.batches:
                step.step(self.x[batch], self.y[batch])
            if epoch in self.recorded:
                losses.append([float(self.loss_fn(model.eval()(self.x), self.y))])
        return [parameter.data[np.newaxis] for parameter in model.parameters()], np.array(losses)

    def train_together(self, seeds: Sequence[int], rates: np.ndarray) -> Tuple[List[np.ndarray], np.ndarray]:
        """Train networks at once; returns their parameters, each (runs, ...), and their losses."""
        models = [self.new_model(seed) for seed in seeds]
        flat = StackedParameters(models)
        optimizer = create_optimizer(self.optimizer, [flat.all], {**self.hyperparams, "lr": 1.0})
        optimizer.lr = rates.astype(flat.data.dtype)  # type: ignore[assignment]  # one for each column of the arrays
        layers = flat_layers(models[0])
        programs = {n: StackedProgram(layers, self.loss_fn, flat, n, self.x.shape[1])
                    for n in {len(self.x[batch]) for batch in self.batches} | {len(self.x)}}
        steps = [(programs[len(self.x[batch])], self.x[batch], self.y[batch]) for batch in self.batches]
        losses = []
        for epoch in range(1, self.recorded[-1] + 1):
            for program, x_batch, y_batch in steps:
                program.run(x_batch, y_batch)
                optimizer.step()
            if epoch in self.recorded:
                preds = programs[len(self.x)].predict(self.x)
                losses.append([float(self.loss_fn(each, self.y)) for each in preds])
        return [np.moveaxis(flat.view(flat.data, parameter), -1, 0).copy() for parameter in models[0].parameters()], \
            np.array(losses)

    def runs_at_once(self, model: Module, chunk_bytes: int) -> int:
        """Return how many networks make up chunk_bytes, or 0 if they had better be trained one by one."""
        layers = flat_layers(model)
        optimizer = create_optimizer(self.optimizer, model.parameters(), {**self.hyperparams, "lr": 1.0})
        n = max(len(self.x[batch]) for batch in self.batches)
        products = 3 * n * sum(layer.W.data.size for layer in layers if isinstance(layer, Linear))
        known = set(RULES) - {Dropout}
        if why_not_compiled(model, self.loss_fn, optimizer) is not None or type(self.loss_fn) not in LOSS_RULES or \
                not {type(layer) for layer in layers} <= known or type(layers[0]) is not Linear or \
                self.x.ndim != 2 or self.x.dtype != layers[0].W.data.dtype or products > MAX_PRODUCTS:
            return 0
        flat = StackedParameters([model])
        try:
            program = StackedProgram(layers, self.loss_fn, flat, n, self.x.shape[1])
        except NotCompilable:
            return 0
        if not self._same_gradient(model, program, flat):
            return 0
        return max(1, chunk_bytes // (program.num_bytes + 4 * flat.data.nbytes))

    def _same_gradient(self, model: Module, program: "StackedProgram", flat: "StackedParameters") -> bool:
        """Return whether the modules compute the gradient that the program computes."""
        x_batch, y_batch = self.x[self.batches[0]], self.y[self.batches[0]]
        for parameter in model.parameters():
            parameter.grad = np.zeros_like(parameter.data)
        if self.loss_fn(model(x_batch), y_batch) is None or np.shape(y_batch) != model(x_batch).shape:
            return False
        model.backward(self.loss_fn.backward())
        program.run(x_batch, y_batch)
        return all(np.allclose(flat.view(flat.grad, parameter)[..., 0], parameter.grad, rtol=1e-3, atol=1e-6)
                   for parameter in model.parameters())


class StackedParameters:
    """The parameters of several networks as one array, (entries, runs), and their gradients as another."""

    def __init__(self, models: Sequence[Module]) -> None:
        columns = [[parameter.data.ravel() for parameter in model.parameters()] for model in models]
        self.data = np.stack([np.concatenate(column) for column in columns], axis=-1)
        self.all = Parameter(self.data)
        self.grad = self.all.grad
        ends = np.cumsum([parameter.data.size for parameter in models[0].parameters()])
        self.places = {id(parameter): slice(int(end) - parameter.data.size, int(end))
                       for parameter, end in zip(models[0].parameters(), ends)}

    def view(self, array: np.ndarray, parameter: Parameter) -> np.ndarray:
        """Return the rows of an array that belong to a parameter of the first network: its shape + (runs,)."""
        return array[self.places[id(parameter)]].reshape(parameter.data.shape + array.shape[1:])


def stacked_linear(layer: Linear, x: Signal, memory: Any) -> CompiledLayer:
    """z_onr = sum_i W_ior x_inr + b_or; dL/dW_ior = sum_n x_inr grad_onr and so on: as in Linear, for each run r."""
    n, flat = memory.num_examples, memory.flat
    if x.values.shape[0] != layer.in_features:
        raise NotCompilable(f"{layer} can't take this input.")
    x.is_kept = True
    z = memory.signal(layer.out_features)
    z_values, z_grad = z.values.reshape(len(z.values), n, -1), z.grad.reshape(len(z.values), n, -1)
    x_values = x.values.reshape(len(x.values), n, -1)
    W, W_grad = flat.view(flat.data, layer.W), flat.view(flat.grad, layer.W)
    forward = [Operation(np.einsum, ("ior,inr->onr", W, x_values), z_values)]
    backward = [Operation(np.einsum, ("inr,onr->ior", x_values, z_grad), W_grad)]
    if not layer.b.constant:
        b, b_grad = flat.view(flat.data, layer.b), flat.view(flat.grad, layer.b)
        forward.append(Operation(np.add, (z_values, b[:, np.newaxis]), z_values))
        backward.append(Operation(np.add.reduce, (z_grad, 1), b_grad))
    if x.grad is not None:
        x_grad = x.grad.reshape(x_values.shape)
        backward.append(Operation(np.einsum, ("ior,onr->inr", W, z_grad), x_grad))
    return CompiledLayer(z, forward, backward)


class StackedWorkspace(Workspace):
    """The arrays of several networks: what is an example elsewhere is an example in one of the runs here."""

    def __init__(self, flat: Any, num_examples: int, num_features: int) -> None:
        self.flat, self.dtype, self.num_examples = flat, flat.data.dtype, num_examples
        self.batch_size = num_examples * flat.data.shape[1]
        self.num_bytes = 0
        self.x_batch = np.empty((num_examples, num_features), self.dtype)  # the same for all runs
        self.input = Signal(self.x_batch.T, None, self.x_batch.T)

    def empty(self, *shape: int) -> np.ndarray:
        array = super().empty(*shape)
        self.num_bytes += array.nbytes
        return array


class StackedProgram:
    """Forward, loss and backward of several networks, for batches of num_examples."""

    def __init__(self, layers: Sequence[Module], loss_fn: Any, flat: StackedParameters, num_examples: int,
                 num_features: int) -> None:
        memory = StackedWorkspace(flat, num_examples, num_features)
        signal = memory.input
        forward: List[Operation] = []
        backward: List[Operation] = []
        for layer in layers:
            rule: Any = stacked_linear if type(layer) is Linear else RULES[type(layer)].compile
            compiled = rule(layer, signal, memory)
            signal = compiled.output
            forward += compiled.forward
            backward = compiled.backward + backward
        self._x_batch, self._preds = memory.x_batch, signal.values.reshape(len(signal.values), num_examples, -1)
        self._loss = LOSS_RULES[type(loss_fn)].compile(signal, memory)
        self._labels = self._loss.labels.reshape(self._preds.shape)
        # the loss has taken the mean over all runs, too; each run's own gradient is so many times as large
        num_runs = memory.constant(flat.data.shape[1])
        gradient = self._loss.backward + [Operation(np.multiply, (signal.grad, num_runs), signal.grad)] + backward
        self._run_forward = straight_line(forward)
        self._run_passes = straight_line(forward + gradient)
        self.num_bytes = 2 * memory.num_bytes  # signals are as many arrays again

    def run(self, x_batch: np.ndarray, y_batch: np.ndarray) -> None:
        """Compute the gradient of every run into flat.grad."""
        np.copyto(self._x_batch, x_batch)
        np.multiply(y_batch.T[..., np.newaxis], self._loss.scale, out=self._labels)
        self._run_passes()

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the predictions of every run, (runs, N, K)."""
        np.copyto(self._x_batch, x)
        self._run_forward()
        return self._preds.transpose(2, 1, 0).copy()
