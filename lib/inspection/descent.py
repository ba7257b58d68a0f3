"""What one step of gradient descent, and many of them, have done: in sentences, for run_xor_experiment.py."""
from __future__ import annotations

import math
from typing import Any, List, Sequence

import numpy as np

LN2 = math.log(2)


def step_in_words(params: Sequence[Any], before: Sequence[np.ndarray], lr: float, losses: Sequence[float]) -> List[str]:
    """Return what a step has done to the parameters and to the loss, and what is wrong with it.

    Args:
        params: the parameters after the step, with the gradients that it went by.
        before: the values of the parameters before the step.
        lr: the learning rate.
        losses: the loss before and after the step.
    """
    said = [f"The step has changed the loss by {losses[1] - losses[0]:+.2e}, from {losses[0]:.8f} to {losses[1]:.8f}."]
    grads = [np.zeros_like(data) if param.grad is None else np.asarray(param.grad)
             for param, data in zip(params, before)]
    moves = [param.data - data for param, data in zip(params, before)]
    if not any(np.any(grad) for grad in grads):
        said.append("Every gradient is zero: does backward_pass backpropagate from the loss through the model?")
    if not any(np.any(move) for move in moves):
        said.append("No parameter has moved: does backward_pass put the new values back into param.data?")
    elif is_uphill(moves, grads):
        said.append("The parameters have moved along their gradients, uphill: look at the sign in backward_pass.")
    elif any(np.any(grad) for grad in grads) and not all(
            np.allclose(move, -lr * grad, rtol=1e-6, atol=1e-12) for move, grad in zip(moves, grads)):
        said.append(f"Not every parameter has moved by its gradient times lr = {lr:g}: look at the update in "
                    "backward_pass.")
    return said


def is_uphill(moves: Sequence[np.ndarray], grads: Sequence[np.ndarray]) -> bool:
    """Return whether a step goes along the gradients, where the loss grows."""
    return sum(float(np.sum(move * grad)) for move, grad in zip(moves, grads)) > 0


def training_in_words(losses: Sequence[float], lr: float, num_wrong: int, model: Any, x: np.ndarray, y: np.ndarray
                      ) -> List[str]:
    """Return what training has come to: how often the loss fell, where it ends, and why there.

    Args:
        losses: the loss before training, then after each step.
        lr: the learning rate.
        num_wrong: how many of the final predictions are wrong.
        model, x, y: the network, the data and its one-hot labels.
    """
    steps, last = len(losses) - 1, losses[-1]
    falls = sum(after < before for before, after in zip(losses, losses[1:]))
    said = [f"The loss has fallen in {falls} of {steps} steps."]
    unmoved = all(loss == losses[0] for loss in losses)
    rising = not unmoved and 2 * sum(after > before for before, after in zip(losses, losses[1:])) > steps
    if unmoved:
        said.append("It has never changed: no step of backward_pass reaches the parameters.")
    elif rising and losses[1] > losses[0]:
        said.append("It has risen from the first step on: does backward_pass go against the gradients?")
    elif not last < 10 * LN2:  # far above a guess at random, or not a number
        said.append(f"It has grown out of bounds: steps with lr {lr:g} are too large. Try a smaller --lr.")
    else:
        said += _why(model, x, y) or [
            f"It ends at {last:.4f} with {num_wrong} wrong: a plateau, or not yet the end; ln 2 = 0.6931 is that of a "
            "guess. Which hidden units are zero for which points, and which weights still get a gradient? Then run it "
            "again: about six starts in ten don't come to zero."] * (num_wrong > 0)
    return said


def _why(model: Any, x: np.ndarray, y: np.ndarray) -> List[str]:
    """Return the cause and the cure of a plateau, or [] in a students' release, where they are to be found."""
    try:
        from lib.inspection.stuck import why_stuck
    except ImportError:
        return []
    found = why_stuck(model, x, y)
    if found is None or found.cause == "none found":
        return [found.sentence] if found else []
    return [f"A plateau. {found.sentence}"] + ([found.cure.sentence] if found.cure else [])
