"""Training with everything around it: `fit` measures, stops early, saves itself, resumes, and explains what went wrong.

`train`, in lib.training, is the plain loop.
"""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Optional, Tuple, Union

import numpy as np

from lib.data.batches import Batches
from lib.saving.checkpoints import Run
from lib.fitting.history import EarlyStopping, History
from lib.model_evaluation import accuracy
from lib.network_base import Module
from lib.fitting.advice import DivergenceError
from lib.fitting.trainer import Metrics, Trainer
from lib.fitting.checks import (checked_data, checked_validation, require_last_batch, require_measures,
                                require_training_objects)
from lib.fitting.weights import checked_weights, counted, weighted_loss
from lib.optimization.clipping import clip_grad_norm
from lib.steps import make_step
from lib.steps.threads import blas_threads
from lib.validation import InputError, require_choice, require_positive, require_size

__all__ = ["fit", "History", "EarlyStopping", "DivergenceError", "default_metrics"]


def fit(model: Module, loss_fn: Any, optimizer: Any, x: np.ndarray, y: np.ndarray, epochs: int, batch_size: int = 32,
        validation: Optional[Tuple[np.ndarray, ...]] = None, scheduler: Any = None,
        early_stopping: Union[EarlyStopping, int, None] = None, checkpoint: Union[str, Path, None] = None,
        resume: bool = True, rng: Union[np.random.Generator, int, None] = None, metrics: Optional[Metrics] = None,
        clip_norm: Optional[float] = None, progress: Optional[bool] = None, compiled: bool = False,
        threads: Optional[int] = None, drop_last: bool = False, sample_weight: Any = None,
        class_weight: Any = None) -> History:
    """Train a model for a number of epochs, and return what it was like.

    With a checkpoint, the whole run is saved before the first epoch and after each, and a run that was killed goes on
    from there when the same call is made again: it ends with the same weights, bit for bit, as if undisturbed.

    Ctrl-C ends the run early: the model keeps what it has learnt, and the history so far is returned, with a note.

    Args:
        model: the network.
        loss_fn: the mean loss of a batch, from (predictions, labels).
        optimizer: made with model.parameters().
        x: inputs, (N, ...).
        y: labels, (N, ...), as the loss expects them.
        epochs: how often to go through the data, those of a resumed checkpoint included.
        batch_size: examples a step; the last batch of an epoch may be smaller.
        validation: inputs and labels on which to measure after each epoch, in evaluation mode; with weights of these
            examples as a third, their loss is the weighted mean.
        scheduler: sets the learning rate after each epoch, by its step().
        early_stopping: an EarlyStopping, or its patience as a number.
        checkpoint: the file to save the run in.
        resume: False starts afresh where there is a checkpoint already, and overwrites it.
        rng: shuffles the samples: a generator, or a seed for one; NumPy's global random state when it isn't given.
        metrics: functions of (predictions, labels) by name, each a mean over the batch; lib.model_evaluation.accuracy
            may be among them, too. By default it is, if labels are one-hot.
        clip_norm: the greatest norm that the gradient may have; a longer one is shortened.
        drop_last: whether a last batch that is smaller than the others is left out.
        sample_weight: how much each example counts in the loss, (N,); only the proportions matter, as the loss is
            sum_n w_n l_n / sum_n w_n over all the data. An example of weight 0 is as good as not there.
        class_weight: the same for each class, and only while training: {class number: weight}, with 1 for a class that
            isn't named; a weight for each class; or "balanced", by which all classes count alike. Metrics don't weight.
        progress: whether to show a progress bar; by default only on a terminal that has tqdm.
        compiled: whether the steps are taken by lib.steps.compiled, which is faster, in place of the modules' own code.
            Both are compared on each epoch's first batch, and changes of the model are looked for after each epoch and
            schedule, and after each step if there are metrics of yours; in between, it takes your word that there are
            none.
        threads: how many threads BLAS may use meanwhile; by default, as many as the network's products can use.

    Returns:
        The history. Afterwards every module is in the mode, training or evaluation, in which it was.

    Raises:
        DivergenceError: the loss became NaN, infinite or enormous. The model has the weights of the last good epoch.
        FileContentError: the checkpoint is damaged, or of another run.
        InputError: an argument doesn't fit; with compiled, also a NotCompilable, which says what can't be compiled.
        DifferentResult: compiled, something else would be trained than what is written; see lib.steps.compiled.
    """
    require_size("epochs", epochs, "fit", least=0)
    for name, flag in (("resume", resume), ("compiled", compiled)):
        require_choice(name, flag, (True, False), "fit")
    require_training_objects(model, loss_fn, optimizer, "fit", scheduler)
    x, y = checked_data(x, y, "fit")
    weights, x, y = counted(checked_weights(sample_weight, class_weight, y), x, y)
    validation = checked_validation(validation, x, y)
    if isinstance(early_stopping, (int, np.integer)) and not isinstance(early_stopping, bool):
        early_stopping = EarlyStopping(patience=int(early_stopping))
    if not (early_stopping is None or isinstance(early_stopping, EarlyStopping)):
        raise InputError("fit expects early_stopping to be an EarlyStopping, or its patience as a whole number, but "
                         f"got {early_stopping!r}.")
    if clip_norm is not None:
        require_positive("clip_norm", clip_norm, "fit")
    generator = _checked_rng(rng)
    has_foreign_metrics = metrics is not None
    metrics = default_metrics(y) if metrics is None else metrics
    require_measures(metrics, early_stopping, validation is not None)
    batches = Batches(x, y, batch_size, rng=generator, drop_last=drop_last, sample_weight=weights)
    if not drop_last:
        require_last_batch(model, x, batch_size)
    clip = None if clip_norm is None else partial(clip_grad_norm, max_norm=clip_norm)
    plain_loss, loss_fn = loss_fn, weighted_loss(loss_fn, weights)
    training_step = make_step(model, loss_fn, optimizer, clip, compiled)
    with blas_threads(threads, model, batches.x, batch_size):
        run = Run(model, loss_fn, optimizer, scheduler, generator)
        trainer = Trainer(run, batches, validation, dict(metrics), early_stopping, plain_loss)
        if checkpoint is not None:
            seed = {} if rng is None or rng is generator else {"seed": str(rng)}
            trainer.use_checkpoint(checkpoint, resume, {"steps": "compiled" if compiled else "by the modules",
                                                        "clip_norm": str(clip_norm),
                                                        "drop_last": str(drop_last), **seed})
        return trainer.train(training_step, epochs, progress, has_foreign_metrics)


def _checked_rng(rng: Any) -> Any:
    """Return what shuffles the samples: a generator, made from a seed if that is given, or None."""
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    if rng is not None and not hasattr(rng, "permutation"):
        raise InputError("fit expects rng to be a generator, such as np.random.default_rng(0), or a seed, but got "
                         f"{rng!r}.")
    return rng


def default_metrics(y: np.ndarray) -> Metrics:
    """Return {"accuracy": accuracy} if labels are one-hot, judged by the first thousand of them, and else nothing."""
    some = np.asarray(y)[:1000]
    one_hot = some.ndim == 2 and some.shape[1] > 1 and np.isin(some, (0, 1)).all() and (some.sum(axis=1) == 1).all()
    return {"accuracy": accuracy} if one_hot else {}
