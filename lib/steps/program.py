"""The program of a compiled network for one batch size: all operations of a training step, written out in a row."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from lib.steps.layers import compile_layer
from lib.steps.losses import LOSS_RULES, take_labels
from lib.steps.memory import FlatParameters, NotCompilable, Operation, Workspace, copy
from lib.network_base import Module


class Program:
    """Forward, loss and backward for batches of one shape and type.

    Args:
        layers: the layers in forward order.
        loss_fn: the loss, without a penalty on the parameters.
        flat: the layers' parameters.
        x_batch, y_batch: inputs, (batch, ...), and labels, (batch, K), of the shapes and types to come.

    Attributes:
        run: run(x_batch, y_batch) computes the predictions for a batch, and the gradient into flat.grad.
        preds: the predictions of the last batch, (batch, K).
        steps: (what it is, operations) in the order in which run executes them.
        checked_labels: the last labels that were found right, as bytes.

    Raises:
        NotCompilable: the layers don't fit these shapes, or can't be compiled for them.
    """

    checked_labels: Optional[bytes] = None

    def __init__(self, layers: Sequence[Module], loss_fn: Any, flat: FlatParameters, x_batch: np.ndarray,
                 y_batch: np.ndarray) -> None:
        memory = Workspace(flat, x_batch.shape, x_batch.dtype)
        signal = memory.input
        forward: List[Tuple[str, List[Operation]]] = []
        backward: List[Tuple[str, List[Operation]]] = []
        for layer in layers:
            compiled = compile_layer(layer, signal, memory)
            signal = compiled.output
            forward.append((f"{layer} forward", compiled.forward))
            backward.append((f"{layer} backward", compiled.backward))
        if signal.values.ndim != 2 or signal.grad is None:
            raise NotCompilable("The predictions are not a matrix, or don't depend on any parameter.")
        self.preds = signal.values.T
        if self.preds.shape != y_batch.shape:
            raise NotCompilable(f"The labels have the shape {y_batch.shape}, but the predictions {self.preds.shape}.")
        self._loss = LOSS_RULES[type(loss_fn)].compile(signal, memory)
        x, y = np.zeros(x_batch.shape, x_batch.dtype), np.zeros(y_batch.shape, y_batch.dtype).T  # stand for a batch
        arguments, take = {"x.T": memory.input.values, "x": memory.x_batch, "y.T": y}, [take_labels(self._loss, y)]
        if memory.is_input_copied:
            arguments = {"x": x, "y.T": y}
            take.append(Operation(copy, (x,), memory.x_batch))
        all_steps = [("Batch", take)] + forward + [(f"{loss_fn} backward", self._loss.backward)] + backward[::-1]
        # An operation without a place for its output would compute the gradient of the network's input or a constant.
        self.steps = [(label, [operation for operation in operations if operation.output is not None])
                      for label, operations in all_steps]
        self.run = straight_line([operation for _, operations in self.steps for operation in operations], arguments)
        self._run_loss = straight_line(self._loss.forward)

    def loss(self) -> np.float64:
        """Return the loss of the batch, once after run."""
        self._run_loss()
        return np.float64(self._loss.value)


def straight_line(operations: Sequence[Operation], arguments: Mapping[str, np.ndarray] = {}) -> Callable[..., None]:
    """Return a function that carries out the operations, one line of code for each.

    A loop over the operations would do the same; written out, they take a fifth less time in a network as small as
    XOR's, where a call of NumPy costs more than its arithmetic.

    Args:
        operations: what to do.
        arguments: the arrays among the inputs in whose place the function, run(x, y), uses its arguments, each by the
            expression that it is replaced by, such as "x.T".
    """
    expressions = {id(array): expression for expression, array in arguments.items()}
    names: Dict[str, Any] = {}
    lines = []

    def name(value: Any) -> str:
        """Return how the code names a value."""
        if id(value) in expressions:
            return expressions[id(value)]
        names[f"value{len(names)}"] = value
        return f"value{len(names) - 1}"

    for function, inputs, output in operations:
        if function is copy:
            lines.append(f"        {name(np.copyto)}({name(output)}, {name(inputs[0])})")
        elif function is np.dot:  # the method of the array does the same, with less ado
            first, second = inputs
            method = f"{expressions[id(first)]}.dot" if id(first) in expressions else name(first.dot)
            lines.append(f"        {method}({name(second)}, out={name(output)})")
        else:
            given = "".join(f"{name(value)}, " for value in inputs)
            lines.append(f"        {name(function)}({given}out={name(output)})")
    head = [f"def bind({', '.join(names)}):", "    def run(x=None, y=None):"]
    tail = ["        return", "    return run"]
    source = "\n".join(head + lines + tail)
    namespace: Dict[str, Any] = {}
    exec(source, namespace)  # the source holds nothing but the names made above
    return namespace["bind"](**names)
