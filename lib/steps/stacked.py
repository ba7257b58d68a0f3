"""Several networks of one architecture as one program, each array with one more axis, the runs, as its last.

Layers and losses know one network alone: what stacks of them compute stands here. An activation or a loss of the
compiled path treats each example by itself, so an example of a run is an example to it; Linear, whose weights differ
from run to run, has a rule of its own.
"""
from __future__ import annotations

from typing import Any, List, Sequence

import numpy as np

from lib.layers import Linear
from lib.network_base import Module, Parameter
from lib.steps.layers import CompiledLayer, compile_layer
from lib.steps.losses import LOSS_RULES
from lib.steps.memory import NotCompilable, Operation, Signal, Workspace
from lib.steps.program import straight_line


class StackedParameters:
    """The parameters of several networks as one array, (entries, runs), and their gradients as another."""

    def __init__(self, models: Sequence[Module]) -> None:
        columns = [[parameter.data.ravel() for parameter in model.parameters()] for model in models]
        self.all = Parameter(np.stack([np.concatenate(column) for column in columns], axis=-1))
        self.data, self.grad = self.all.data, self.all.grad
        self.shapes = [parameter.data.shape for parameter in models[0].parameters()]
        ends = np.cumsum([parameter.data.size for parameter in models[0].parameters()])
        self.places = {id(parameter): slice(int(end) - parameter.data.size, int(end))
                       for parameter, end in zip(models[0].parameters(), ends)}

    def split(self, column: np.ndarray) -> List[np.ndarray]:
        """Return the pieces of one network's column that belong to its parameters, in their shapes."""
        return [column[place].reshape(shape) for place, shape in zip(self.places.values(), self.shapes)]

    def view(self, array: np.ndarray, parameter: Parameter) -> np.ndarray:
        """Return the rows of an array that belong to a parameter of the first network: its shape + (runs,)."""
        return array[self.places[id(parameter)]].reshape(parameter.data.shape + array.shape[1:])


def stacked_linear(layer: Linear, x: Signal, memory: Any) -> CompiledLayer:
    """z_onr = sum_i W_ior x_inr + b_or; dL/dW_ior = sum_n x_inr grad_onr and so on: as in Linear, for each run r."""
    n, flat, (in_features, out_features) = memory.num_examples, memory.flat, layer.W.data.shape
    if x.values.shape[0] != in_features:
        raise NotCompilable(f"{layer} can't take this input.")
    x.is_kept = True
    z = memory.signal(out_features)
    z_values, z_grad = z.values.reshape(out_features, n, -1), z.grad.reshape(out_features, n, -1)
    x_values = x.values.reshape(in_features, n, -1)
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
            rule: Any = stacked_linear if type(layer) is Linear else compile_layer
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

    def preds(self, run: int) -> np.ndarray:
        """Return the predictions of a run for the last batch, (N, K)."""
        return self._preds[..., run].T

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the predictions of every run, (runs, N, K)."""
        np.copyto(self._x_batch, x)
        self._run_forward()
        return self._preds.transpose(2, 1, 0).copy()
