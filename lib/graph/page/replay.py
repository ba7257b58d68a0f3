"""A page on which training can be played over its epochs: forward, back, and from the same start again.

    write_replay(model, x, y, "replay.html")                          # trains a copy of the model, and shows how
    write_replay({"lr 0.1": model, "lr 1": model}, x, y, path, learning_rate=[0.1, 1])       # side by side
    recording = Recording(model, x, y)                                # or of a training loop of your own:
    for epoch in range(1000):                                         #     each epoch, after its steps,
        ...                                                           #     recording.note()
    write_replay(recording, path="replay.html")

A network with two inputs is shown in their plane, with its decision boundary and the line of each hidden unit; any
other with its loss, weights and gradients. Where training is stuck, the page says why, and replays the cure beside it.
"""
from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from lib.graph.page.document import Page
from lib.graph.page.frames import choose_frames, flat, folds, numbered, over_the_plane, plane_of, tensors, thinned
from lib.inspection.recording import numpy_random_state_kept
from lib.inspection.stuck import ON_ITS_WAY, is_one_hot, why_stuck
from lib.layers import CrossEntropyLoss, MeanSquaredError
from lib.network_base import Module
from lib.validation import InputError, as_float, require_positive, require_size

SCRIPTS = ("page_elements.js", "page_plane.js", "page_replay.js")
MOST_RUNS = 12
MOST_ENTRIES = 700  # of a network's parameters, to be listed one by one; of larger ones, each tensor's size is shown
MOST_KEPT = 4_000_000  # numbers of a recording
State = Tuple[List[np.ndarray], List[np.ndarray]]  # the weights and their gradients, an array a parameter


class Recording:
    """What a training run was like: the loss of each epoch, the weights and their gradients.

    Args:
        model: the network that is trained; each call of note() looks at it, from the start on.
        x, y: the data.
        loss_fn: the loss; by default cross-entropy for one-hot labels, else the mean squared error.
        name: what the run is called.
    """

    def __init__(self, model: Module, x: Any, y: Any, loss_fn: Any = None, name: str = "") -> None:
        self.model, self.name = model, name
        self.x, self.y = (np.asarray(as_float(each, "A replay"), float) for each in (x, y))
        for what, values in (("x", self.x), ("y", self.y)):
            if not np.isfinite(values).all():
                raise InputError(f"A replay expects numbers, but {what} holds nan or inf: no loss comes of it.")
        self.loss_fn = loss_fn or (CrossEntropyLoss() if is_one_hot(self.y) else MeanSquaredError())
        self.losses: List[float] = []
        self.rate: Optional[float] = None
        self._every, self._states = 1, {}  # type: int, Dict[int, State]
        if not list(model.parameters()):
            raise InputError(f"There is nothing to replay: {model} has no parameters to train.")
        self.note()

    def note(self) -> None:
        """Note the loss, the weights and the gradients as they are now; the gradients are those of the whole data."""
        with numpy_random_state_kept():
            self._look(copy.deepcopy(self.model), copy.deepcopy(self.loss_fn))

    def train(self, learning_rate: float, epochs: int) -> "Recording":
        """Take steps of gradient descent on all of the data, and note each; stops where the loss is no number."""
        self.rate = learning_rate
        for _ in range(epochs):
            if not np.isfinite(self.losses[-1]):
                break
            with np.errstate(all="ignore"):
                for parameter, gradient in zip(self.model.parameters(), self._states[len(self.losses) - 1][1]):
                    parameter.data = parameter.data - learning_rate * gradient
            self._look(self.model, self.loss_fn)
        return self

    def _look(self, model: Module, loss_fn: Any) -> None:
        """Run a forward and a backward pass, and keep what they give."""
        model._zero_grad()
        with np.errstate(all="ignore"):
            outputs = model(self.x)
            if self.y.ndim == 1 and np.ndim(outputs) == 2 and outputs.shape[1] > 1 and np.all(self.y == self.y.round()):
                raise InputError(f"A replay expects labels in the shape of the predictions, {outputs.shape}, but got "
                                 f"what look like class numbers, of shape {self.y.shape}. Give them one-hot: "
                                 f"np.eye({outputs.shape[1]})[y].")
            loss = float(loss_fn(outputs, self.y))
            model.backward(loss_fn.backward())
        parameters, epoch = list(model.parameters()), len(self.losses)
        self.losses.append(loss)
        self._states[epoch] = ([np.array(parameter.data) for parameter in parameters],
                               [np.array(parameter.grad) for parameter in parameters])
        if 2 * len(self._states) * sum(parameter.data.size for parameter in parameters) > MOST_KEPT:
            self._every *= 2  # of a large network, every other state is forgotten
        if self._every > 1:
            self._states = {k: state for k, state in self._states.items() if k % self._every == 0 or k == epoch}

    def state(self, epoch: int) -> State:
        """Return the weights and the gradients after an epoch, or of the last one before it that is kept."""
        return self._states[max(kept for kept in self._states if kept <= epoch)]

    def at(self, epoch: int) -> Module:
        """Return a copy of the network as it was after an epoch."""
        twin = copy.deepcopy(self.model)
        for parameter, values in zip(twin.parameters(), self.state(epoch)[0]):
            parameter.data = values.copy()
        return twin


def write_replay(history_or_model: Any, x: Any = None, y: Any = None, path: Union[str, Path, None] = None,
                 **options: Any) -> Path:
    """Write the page of one or several training runs to an HTML file, and return its path; see `replay_page`."""
    if path is None:
        raise InputError('write_replay needs a path: write_replay(model, x, y, "replay.html"), or for a recording '
                         'write_replay(recording, path="replay.html").')
    return replay_page(history_or_model, x, y, **options).save(path)


def replay_page(history_or_model: Any, x: Any = None, y: Any = None, loss_fn: Any = None, learning_rate: Any = 1.0,
                epochs: int = 1000, title: Optional[str] = None, cures: bool = True) -> Page:
    """Return the page of one or several training runs; it shows itself in a notebook, and `save(path)` writes it.

    Args:
        history_or_model: a model, which is trained from its present weights, on a copy; a Recording; the History that
            fit returns (which holds no weights, so its page shows the curves alone); or several, as a list or by name.
        x, y: for models, the data.
        loss_fn: for models, the loss; by default cross-entropy for one-hot labels, else the mean squared error.
        learning_rate: for models, that of gradient descent, one for all or one for each.
        epochs: for models, how long to train.
        title: the page's title.
        cures: whether a stuck run is shown a second time, with its cure and trained on.

    Raises:
        InputError: there is nothing to show, or too much.
    """
    named = _named(history_or_model)
    rates = list(learning_rate) if np.ndim(learning_rate) else [learning_rate] * len(named)
    if len(rates) != len(named):
        raise InputError(f"write_replay expects one learning rate for all or one for each of the {len(named)} runs, "
                         f"but got {len(rates)}.")
    for rate in rates:
        require_positive("learning_rate", rate, "write_replay")
    require_size("epochs", epochs, "write_replay")
    runs: List[Any] = []
    for (name, what), rate in zip(named, rates):
        if isinstance(what, Module):
            if x is None or y is None:
                raise InputError("A replay of a model needs the data that it is trained on: "
                                 "write_replay(model, x, y, path).")
            what = Recording(copy.deepcopy(what), x, y, copy.deepcopy(loss_fn), name).train(float(rate), epochs)
        elif not isinstance(what, Recording) and not _is_history(what):
            raise InputError("A replay is made of a model, a Recording or a History, but got "
                             f"{'the class ' + what.__name__ if isinstance(what, type) else type(what).__name__}.")
        runs.append((name, what))
    return Page(_content(runs, title, cures), SCRIPTS)


def _named(what: Any) -> List[Tuple[str, Any]]:
    if isinstance(what, (list, tuple)):
        runs = [(getattr(each, "name", "") or f"run {k + 1}", each) for k, each in enumerate(what)]
    elif _is_history(what) or not isinstance(what, Mapping):
        runs = [(getattr(what, "name", "") or "training", what)]
    else:
        runs = [(name or f"run {k + 1}", each) for k, (name, each) in enumerate(what.items())]
    if not 1 <= len(runs) <= MOST_RUNS:
        raise InputError(f"A replay shows from 1 to {MOST_RUNS} runs side by side, but got {len(runs)}.")
    return list(zip(numbered([str(name) for name, _ in runs], " "), [each for _, each in runs]))


def _is_history(what: Any) -> bool:
    """Whether this is a History of lib.fitting, which stands above this package: measures by name, epoch by epoch."""
    return isinstance(what, dict) and "loss" in what and hasattr(what, "num_epochs")


# ---------------------------------------------------------------------- what the page holds

def _content(runs: Sequence[Any], title: Optional[str], cures: bool) -> Dict[str, Any]:
    """Return all that the page shows, ready to be written as JSON."""
    shown: List[Dict[str, Any]] = []
    recordings: List[Any] = []
    for name, what in runs:
        if not isinstance(what, Recording):
            curves = {key: thinned(values) for key, values in what.items() if key not in ("seconds", "lr")}
            shown.append({"name": name, "curves": curves, "verdict": "", "said": [
                "A History holds the measures alone. Give the model itself to see weights and gradients."]})
            recordings.append(None)
            continue
        room = len(recordings) + 1 < MOST_RUNS
        verdict, said, cured = _judged(what, cures and room)
        if cures and not room and verdict.startswith("stuck"):
            said = [*said, f"Its cure isn't replayed: beside each other, {MOST_RUNS} runs are enough."]
        shown.append({"name": name, "curves": {"loss": thinned(what.losses)}, "verdict": verdict, "said": said})
        recordings.append(what)
        if cured is not None:
            verdict, said, _ = _judged(cured, False)
            shown.append({"name": f"{name}, with the cure", "curves": {"loss": thinned(cured.losses)},
                          "verdict": verdict, "cured": True,
                          "said": [f"From where {name} is stuck, with that one change, trained on."] + said})
            recordings.append(cured)
    kept = [each for each in recordings if each is not None]
    length = max(max(curve[-1][0] for curve in run["curves"].values()) for run in shown) + 1
    sizes = [flat(each.state(0)[0]).size for each in kept]
    every = [MOST_ENTRIES >= size for size in sizes]
    numbers = sum(2 * size if each else 2 * len(recording.state(0)[0])
                  for size, each, recording in zip(sizes, every, kept))
    frames = choose_frames(length, numbers)
    plane = None
    if kept and all(each.x.ndim == 2 and each.x.shape == (len(each.y), 2) for each in kept):
        same = all(np.array_equal(each.x, kept[0].x) and np.array_equal(each.y, kept[0].y) for each in kept)
        plane = plane_of(kept[0], len(frames) * len(kept)) if same else None
        if plane is None:
            why = "the inputs are too large" if same else "the runs differ in their data"
            for run in shown:
                run["said"] = [*run["said"], f"There is no picture of the plane, as {why}."]
    for run, recording in zip(shown, recordings):
        if recording is not None:
            epochs = sorted({min(frame, len(recording.losses) - 1) for frame in frames})
            run.update(tensors(recording, epochs, every[kept.index(recording)]))
            if plane:
                run.update(over_the_plane(recording, epochs, plane), folds=folds(recording.at(0), recording.x))
    guesses = {each.y.shape[1] if is_one_hot(each.y) and isinstance(each.loss_fn, CrossEntropyLoss) else None
               for each in kept}
    return {"title": title or "Training, replayed", "frames": frames, "runs": shown, "plane": plane,
            "guess": guesses.pop() if len(guesses) == 1 else None}


def _judged(recording: Recording, cures: bool) -> Any:
    """Return how a run ended, why, as sentences, and the run of the cure if there is one."""
    first, last = recording.losses[0], recording.losses[-1]
    steps = "the steps are too large, or go uphill" if recording.rate is None else "the learning rate is too large"
    if not np.isfinite(first):
        return "no number", ["The loss is no number from the start: look for nan and inf in the weights."], None
    if not np.isfinite(last):
        return "diverged", [f"The loss is no number after epoch {len(recording.losses) - 1}: {steps}."], None
    try:
        found = why_stuck(recording.model, recording.x, recording.y, recording.loss_fn)
    except InputError:
        return f"loss {last:.4g}", [], None
    if found is None:
        return "solved", [f"It ends at the loss {last:.4g}, with every example right."], None
    if last > 10 * first:  # what holds it there came of the steps, and no cure lasts under such steps
        return "diverged", [f"The loss has grown from {first:.4g} to {last:.4g}: {steps}. {found.sentence}"], None
    if found.cause == "none found":
        half = len(recording.losses) // 2
        if half > 50 and recording.losses[half] - last < 1e-3 * last:
            return "falls no longer", [found.sentence.replace(ON_ITS_WAY, ""), (
                f"From epoch {half} on, the loss has fallen by less than 0.1%: another start or more hidden units may "
                "help more than more epochs.")], None
        return f"loss {last:.4g}", [found.sentence], None
    said = [found.sentence] + ([found.cure.sentence] if found.cure else [])
    cured = None
    if cures and found.cure is not None and recording.rate is not None:
        cured = Recording(found.cured(recording.model), recording.x, recording.y, recording.loss_fn)
        cured.train(recording.rate, len(recording.losses) - 1)
    return f"stuck: {found.cause}", said, cured
