"""The program of a compiled network for one batch size: all operations of a training step, written out in a row."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

import lib.compiled_convolutions  # its rules enter RULES
from lib.compiled_layers import RULES
from lib.compiled_losses import LOSS_RULES
from lib.compiled_memory import FlatParameters, NotCompilable, Operation, Workspace
from lib.network_base import Module


class Program:
    """Forward, loss and backward for batches of one shape.

    Args:
        layers: the layers in forward order.
        loss_fn: the loss, without a penalty on the parameters.
        flat: the layers' parameters.
        x_shape: the shape of a batch, (batch, ...).

    Attributes:
        preds: the predictions of the last batch, (batch, K).
        steps: (what it is, operations) in the order of execution.

    Raises:
        NotCompilable: the layers don't fit this shape, or can't be compiled for it.
    """

    def __init__(self, layers: Sequence[Module], loss_fn: Any, flat: FlatParameters, x_shape: Tuple[int, ...]) -> None:
        memory = Workspace(flat, x_shape)
        signal = memory.input
        forward: List[Tuple[str, List[Operation]]] = []
        backward: List[Tuple[str, List[Operation]]] = []
        for layer in layers:
            compiled = RULES[type(layer)].compile(layer, signal, memory)
            signal = compiled.output
            forward.append((f"{layer} forward", compiled.forward))
            backward.append((f"{layer} backward", compiled.backward))
        if signal.values.ndim != 2 or signal.grad is None:
            raise NotCompilable("The predictions are not a matrix, or don't depend on any parameter.")
        self._memory, self.preds = memory, signal.values.T
        self._loss = LOSS_RULES[type(loss_fn)](signal, memory)
        all_steps = forward + [(f"{loss_fn} backward", self._loss.backward)] + backward[::-1]
        # An operation without a place for its output would compute the gradient of the network's input.
        self.steps = [(label, [operation for operation in operations if operation.output is not None])
                      for label, operations in all_steps]
        self._run = straight_line([operation for _, operations in self.steps for operation in operations],
                                  None if memory.is_input_copied else memory.input.values)
        self._run_loss = straight_line(self._loss.forward)

    def run(self, x_batch: np.ndarray, y_batch: np.ndarray) -> None:
        """Compute the predictions for a batch, and the gradient into flat.grad."""
        np.multiply(y_batch.T, self._loss.scale, out=self._loss.labels)
        if self._memory.is_input_copied:
            np.copyto(self._memory.x_batch, x_batch)
            self._run()
        else:
            self._run(x_batch.T if x_batch.dtype == self._memory.dtype else x_batch.T.astype(self._memory.dtype))

    def loss(self) -> np.float64:
        """Return the loss of the batch, once after run."""
        self._run_loss()
        return np.float64(self._loss.value)


def straight_line(operations: Sequence[Operation], variable: Any = None) -> Callable[..., None]:
    """Return a function that carries out the operations, one line of code for each.

    A loop over the operations would do the same; written out, they take a fifth less time in a network as small as
    XOR's, where a call of NumPy costs more than its arithmetic.

    Args:
        operations: what to do.
        variable: an array among the inputs in whose place the function uses its argument.
    """
    names: Dict[str, Any] = {}
    lines = []
    for i, (function, inputs, output) in enumerate(operations):
        arguments = []
        for j, value in enumerate(inputs):
            if value is not None and value is variable:
                arguments.append("x")
            else:
                arguments.append(f"input{i}_{j}")
                names[arguments[-1]] = value
        names.update({f"function{i}": function, f"output{i}": output})
        lines.append(f"        function{i}({', '.join(arguments + [f'out=output{i}'])})")
    head, tail = [f"def bind({', '.join(names)}):", "    def run(x=None):"], ["        return", "    return run"]
    source = "\n".join(head + lines + tail)
    namespace: Dict[str, Any] = {}
    exec(source, namespace)  # the source holds nothing but the names made above
    return namespace["bind"](**names)
