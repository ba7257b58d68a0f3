"""A run to be killed: `python -m tests.resumable_run KIND FOLDER SEED EXAMPLES` trains with a checkpoint in FOLDER.

It prints a line at the end of each epoch, and saves the final model as FOLDER/model.npz. The seed is that of NumPy's
global random state; a run that is resumed must not depend on it.
"""
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from lib.activations import ReLU
from lib.layers.activations import Tanh
from lib.fitting.fit import EarlyStopping, fit
from lib.losses import CrossEntropyLoss
from lib.lr_schedulers import CosineAnnealingLR
from lib.saving.model_files import save
from lib.network import Linear, Sequential
from lib.layers.normalization import BatchNorm1d
from lib.optimizers import Adam
from lib.optimization.adaptive import RMSProp
from lib.regularizers import Dropout

KINDS = ("compiled", "readable")


class TalkingSchedule(CosineAnnealingLR):
    """Says when an epoch's steps are done."""

    def step(self):
        super().step()
        print(f"epoch {self.last_epoch}", flush=True)


def create_run(kind, seed=0):
    """Return model, optimiser, scheduler and other arguments of fit for a run that draws random numbers everywhere.

    "compiled" trains in place and draws from the global random state; "readable" couldn't, as it has a batch
    normalisation, whose running averages are buffers, and draws from generators.
    """
    np.random.seed(seed)
    if kind == "compiled":
        model = Sequential(Linear(6, 40), ReLU(), Dropout(0.3), Linear(40, 3))
        optimizer = Adam(model.parameters(), lr=0.01)
        options = {"early_stopping": EarlyStopping(patience=99), "compiled": True}
    else:
        rng = np.random.default_rng(seed)
        model = Sequential(Linear(6, 40, rng=rng), BatchNorm1d(40), Tanh(), Dropout(0.3, rng=rng),
                           Linear(40, 3, rng=rng))
        optimizer = RMSProp(model.parameters(), lr=0.01, momentum=0.9)
        options = {"rng": np.random.default_rng(seed + 1), "clip_norm": 1.0}
    return model, optimizer, TalkingSchedule(optimizer, T_max=30), options


def create_data(num_examples):
    """Return inputs and one-hot labels that can only partly be learnt, so that all weights keep on changing."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((num_examples, 6))
    return x, np.eye(3)[(x[:, 0] + rng.standard_normal(num_examples) > 0) + (x[:, 1] > 1).astype(int)]


def train(kind, folder, seed=0, epochs=8, num_examples=90, **options):
    """Run or resume; returns the model and its history."""
    model, optimizer, scheduler, own_options = create_run(kind, seed)
    x, y = create_data(num_examples)
    n = num_examples * 2 // 3
    arguments = {"validation": (x[n:], y[n:]), "checkpoint": Path(folder) / "run.npz", **own_options, **options}
    history = fit(model, CrossEntropyLoss(), optimizer, x[:n], y[:n], epochs, 8, scheduler=scheduler, **arguments)
    return model, history


if __name__ == "__main__":
    trained, _ = train(sys.argv[1], sys.argv[2], int(sys.argv[3]), epochs=12, num_examples=int(sys.argv[4]))
    save(trained, Path(sys.argv[2]) / "model.npz")
