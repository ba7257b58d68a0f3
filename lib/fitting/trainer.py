"""The loop behind `fit`: a training run that measures itself, saves itself, and knows when to stop."""
from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

import numpy as np

from lib.data.batches import Batches
from lib.saving.checkpoints import Run, load_checkpoint, save_checkpoint
from lib.fitting.advice import DivergenceError, divergence_advice, remark_on_inputs
from lib.fitting.history import EarlyStopping, History
from lib.fitting.weights import weighted_loss
from lib.saving.files import expanded_path
from lib.saving.model_files import model_arrays, require_same_arrays, set_model_arrays
from lib.saving.npz import FileContentError
from lib.inspection.prediction import evaluation_mode
from lib.model_evaluation import accuracy
from lib.fitting.progress import progress_bar
from lib.validation import InputError

Metrics = Mapping[str, Callable[[np.ndarray, np.ndarray], float]]
DIVERGENCE_FACTOR = 1000  # a loss so many times that of the untrained model, or of predicting zeros, isn't learning


class Trainer:
    """A training run together with its data, its history and its best weights so far.

    Args:
        run: the model, loss, optimiser, schedule and random states.
        batches: the training data.
        validation: inputs and labels to measure on after each epoch, with or without weights, or None.
        metrics: functions of (predictions, labels) by name, each a mean over the batch.
        early_stopping: when to stop before the last epoch, or None.
        plain_loss: the run's loss without the weights of the training data.
    """

    def __init__(self, run: Run, batches: Batches, validation: Optional[Tuple[np.ndarray, ...]],
                 metrics: Metrics, early_stopping: Optional[EarlyStopping], plain_loss: Any) -> None:
        self.run, self.batches, self.metrics, self.early_stopping = run, batches, metrics, early_stopping
        self.validation = None
        if validation is not None:
            x, y, weights = (*validation, None)[:3]
            self.validation = Batches(x, y, batches.batch_size, shuffle=False, sample_weight=weights)
            self.validation_loss = weighted_loss(plain_loss, weights)
        self.history = History()
        self.best: Optional[Tuple[int, Dict[str, np.ndarray]]] = None  # the best epoch, and the model's arrays after it
        self.usual_loss = self._loss_without_training()
        self.checkpoint: Union[str, Path, None] = None
        self.description: Dict[str, str] = {}
        self.num_steps = 0  # in the epoch in progress
        self.num_epochs_saved = 0

    # ------------------------------------------------------------------ the loop

    def train(self, training_step: Any, epochs: int, progress: Optional[bool] = None,
              has_foreign_metrics: bool = True) -> History:
        """Train until the history has so many epochs, or until it is time to stop; returns the history.

        Args:
            training_step: takes the steps; from lib.steps.make_step.
            epochs, progress: as for fit.
            has_foreign_metrics: whether a metric, called after each step, may change the model.
        """
        model, steps_per_epoch = self.run.model, len(self.batches)
        bar = progress_bar(epochs * steps_per_epoch, self.history.num_epochs * steps_per_epoch, progress)
        modes = [(module, module.training) for _, module in model.named_modules()]
        try:
            while self.history.num_epochs < epochs and not self._patience_is_over():
                last_good_state = self.run.state()
                self._train_epoch(training_step, bar, has_foreign_metrics)
                self._save()
        except DivergenceError as error:
            self.run.set_state(last_good_state)
            error.history = self.history
            raise
        except KeyboardInterrupt:
            self._note_interruption()
        finally:
            bar.close()
            for module, training in modes:
                module.training = training
        self._take_best()
        return self.history

    def _train_epoch(self, training_step: Any, bar: Any, has_foreign_metrics: bool) -> None:
        """Take a step on each batch, measure, and add the measures to the history."""
        start = time.perf_counter()
        lr = self.run.optimizer.lr
        means = Means(self.metrics)
        self.num_steps, first_enormous = 0, 0
        self.run.model.train()
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # DivergenceError says it better than a warning
                for x_batch, y_batch, *weights in self.batches:
                    loss, preds = training_step.step(x_batch, y_batch, *weights)
                    self.num_steps += 1
                    if not math.isfinite(loss):
                        self._raise_divergence(f"the loss is {loss}", x_batch, y_batch)
                    if loss > DIVERGENCE_FACTOR * self.usual_loss and not first_enormous:
                        first_enormous = self.num_steps
                    means.add(loss, preds, y_batch)
                    if has_foreign_metrics:
                        training_step.look_for_changes()
                    bar.update()
        finally:
            training_step.end_epoch()
        measures = means.result()
        self._require_sane_epoch(measures["loss"], first_enormous)
        if self.validation is not None:
            measures.update({f"val_{name}": value for name, value in self._validate().items()})
        if self.run.scheduler is not None:
            self.run.scheduler.step()
        history = self.history.with_epoch(**measures, lr=lr, seconds=time.perf_counter() - start)
        best = self.best
        if self.early_stopping is not None and self.early_stopping.best_epoch(history) == history.num_epochs - 1:
            best = history.num_epochs, model_arrays(self.run.model)
        self.history, self.best, self.num_steps = history, best, 0  # at once, as Ctrl-C can come between any two lines
        remark_on_inputs(self.batches.x, self.batches.y, history["loss"])
        bar.set_postfix_str(", ".join(f"{name}={value:.4g}" for name, value in measures.items()))

    def _validate(self) -> Dict[str, float]:
        """Return the measures on the validation set, in evaluation mode."""
        assert self.validation is not None
        means = Means(self.metrics)
        with evaluation_mode(self.run.model):
            for x_batch, y_batch, *weights in self.validation:
                preds = self.run.model(x_batch)
                means.add(self.validation_loss(preds, y_batch, *weights), preds, y_batch)
        return means.result()

    # ------------------------------------------------------------------ stopping

    def _patience_is_over(self) -> bool:
        if self.early_stopping is None or not self.history.num_epochs or not self.early_stopping.is_over(self.history):
            return False
        self.history.note = (f"Stopped after epoch {self.history.num_epochs}: {self.early_stopping.monitor} has not "
                             f"become better for {self.early_stopping.patience} epochs.")
        return True

    def _take_best(self) -> None:
        """Give the model the weights of the best epoch, where early stopping says so."""
        if self.early_stopping is not None and self.early_stopping.restore_best and self.best is not None:
            self.history.best_epoch = self.best[0]
            set_model_arrays(self.run.model, self.best[1])

    def _note_interruption(self) -> None:
        where = f"in epoch {self.history.num_epochs + 1}, after {self.num_steps} of its {len(self.batches)} steps"
        if not self.num_steps:
            where = f"after epoch {self.history.num_epochs}"
        self.history.note = f"Interrupted {where}. The model keeps what it has learnt."
        if self.checkpoint is not None:
            self.history.note += (f" The same call of fit goes on after epoch {self.num_epochs_saved}, from "
                                  f"{str(self.checkpoint)!r}.")
        print(self.history.note, file=sys.stderr)

    def _loss_without_training(self) -> float:
        """Return the loss on up to 1000 examples of the model as it is, or of predicting zeros if that is greater."""
        x, *labels = (array[:1000] for array in self.batches.arrays)
        x = x if self.batches.transform is None else self.batches.transform(x)
        with evaluation_mode(self.run.model), np.errstate(all="ignore"):
            preds = self.run.model(x)
            losses = [float(self.run.loss_fn(preds, *labels))]
            try:
                losses.append(float(self.run.loss_fn(np.zeros_like(preds), *labels)))
            except (ValueError, ArithmeticError):  # zeros aren't predictions for every loss
                pass
        return max((loss for loss in losses if math.isfinite(loss)), default=math.inf)

    def _require_sane_epoch(self, mean_loss: float, first_enormous: int) -> None:
        """Raise DivergenceError if the epoch's loss is enormous, or if its last step spoilt a parameter."""
        if mean_loss > DIVERGENCE_FACTOR * self.usual_loss > 0:
            self.num_steps = first_enormous
            self._raise_divergence(f"from this step on, the loss is enormous, in the mean {mean_loss:.3g}; without "
                                   f"training it is {self.usual_loss:.3g}")
        for path, parameter in self.run.model.named_parameters():
            if not np.isfinite(parameter.data).all():
                self._raise_divergence(f"after this step, {path} holds NaN or infinity")

    def _raise_divergence(self, what: str, x_batch: Any = None, y_batch: Any = None) -> None:
        advice = divergence_advice(self.run.optimizer, x_batch, y_batch)
        epoch = self.history.num_epochs
        kept = f"The model has the weights from the end of epoch {epoch}." if epoch else \
            "The model has the weights that it started with."
        raise DivergenceError(f"Training diverged in epoch {epoch + 1}, step {self.num_steps}: {what}. {advice} {kept}")

    # ------------------------------------------------------------------ checkpoints

    def use_checkpoint(self, path: Union[str, Path], resume: bool, settings: Dict[str, str]) -> None:
        """Save the run to this file from now on; go on from what it holds, if it exists and is to be resumed.

        Args:
            path: the file.
            resume: whether to go on from what it holds.
            settings: what else must be the same then.
        """
        self.checkpoint = path = expanded_path(path)
        self.description = self.run.description({
            **settings,
            "training data, inputs": self.batches.x,
            "training data, labels": self.batches.y,
            "batch size": self.batches.batch_size,
            "measures": ", ".join(self.metrics) or "loss only",
            **_weights("training data", self.batches),
            "validation data, inputs": "none" if self.validation is None else self.validation.x,
            "validation data, labels": "none" if self.validation is None else self.validation.y,
            **_weights("validation data", self.validation),
            "early stopping": "none" if self.early_stopping is None else repr(self.early_stopping._replace(patience=0)),
        })
        if not (resume and path.exists()):
            self._save()
            return
        state = load_checkpoint(path, self.description)
        history, best, usual_loss = self._checked(state, path)
        self.run.set_state(state["run"])
        self.history, self.best, self.usual_loss = history, best, usual_loss
        self.num_epochs_saved = self.history.num_epochs

    def _checked(self, state: Any, path: Path) -> Tuple[History, Any, float]:
        """Return the history, the best epoch with its weights, and the usual loss of a checkpoint, if they are that."""
        try:
            history, best, usual_loss = History(state["history"]), state["best"], float(state["usual_loss"])
            lengths = {len(values) for values in history.values()}
            all_numbers = all(isinstance(value, float) for values in history.values() for value in values)
            names = {"loss", "lr", "seconds", *self.metrics}
            if len(lengths) > 1 or not all_numbers or (history and not names <= set(history)):
                raise ValueError("its history isn't one")
            if best is not None:
                headers = {name: (array.shape, array.dtype) for name, array in best[1].items()}
                require_same_arrays(model_arrays(self.run.model), headers, "The checkpoint")
                if not 1 <= best[0] <= history.num_epochs:
                    raise ValueError(f"its best epoch, {best[0]}, isn't one of its {history.num_epochs} epochs")
            return history, best, usual_loss
        except Exception as error:  # a file can hold anything
            raise FileContentError(f"{str(path)!r} can't be used: {error}. Use another copy of it, or resume=False to "
                                   "start afresh.") from error

    def _save(self) -> None:
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, {"run": self.run.state(), "history": dict(self.history),
                                              "best": self.best, "usual_loss": self.usual_loss}, self.description)
            self.num_epochs_saved = self.history.num_epochs


def _weights(whose: str, batches: Optional[Batches]) -> Dict[str, np.ndarray]:
    """Return the weights of some data under the name by which a checkpoint tells them, if there are any."""
    return {} if batches is None or not batches.arrays[2:] else {f"{whose}, weights": batches.arrays[2]}


class Means:
    """The mean loss and the mean metrics of an example, over batches of different sizes."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.num_examples = 0
        self.sums = dict.fromkeys(["loss", *metrics], 0.0)

    def add(self, loss: float, preds: np.ndarray, labels: np.ndarray) -> None:
        """Count one batch."""
        n = len(labels)
        self.num_examples += n
        self.sums["loss"] += float(loss) * n
        for name, metric in self.metrics.items():
            value = metric(labels, preds) if metric is accuracy else metric(preds, labels)
            if np.ndim(value) or not isinstance(np.asarray(value).item(), (int, float)):
                raise InputError(f"fit expects the metric {name!r} to return one number for a batch, its mean, but got "
                                 f"{f'an array of shape {np.shape(value)}' if np.ndim(value) else repr(value)}.")
            self.sums[name] += float(value) * n

    def result(self) -> Dict[str, float]:
        """Return the means by name."""
        return {name: total / self.num_examples for name, total in self.sums.items()}
