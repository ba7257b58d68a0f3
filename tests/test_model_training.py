"""The training loop of sheet 5: lib.model_training."""
from __future__ import annotations

import numpy as np
import pytest

from lib import training
from lib.losses import CrossEntropyLoss
from lib.model_training import train
from lib.optimizers import SGD
from tests.test_training import blobs, small_net


def run(train_function, **kwargs):
    """Train a small network with a fixed seed; returns the curves."""
    model = small_net()
    np.random.seed(3)
    return train_function(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), *blobs(20), *blobs(9),
                          num_epochs=5, batch_size=5, **kwargs)


def test_gives_the_curves_of_sheet_4s_train():
    np.testing.assert_array_equal(run(train), run(training.train))


@pytest.mark.parametrize("print_every, epochs", [(1, [1, 2, 3, 4, 5]), (2, [2, 4]), (6, []), (0, [])])
def test_prints_a_line_every_few_epochs(capsys, print_every, epochs):
    costs, accuracies, val_costs, val_accuracies = run(train, print_every=print_every)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(epochs)
    for line, epoch in zip(lines, epochs):
        for number in (costs[epoch - 1], accuracies[epoch - 1], val_costs[epoch - 1], val_accuracies[epoch - 1]):
            assert f"{number:.4f}" in line
        assert f"epoch {epoch:3d}" in line


def test_a_wrong_print_every_is_refused():
    with pytest.raises(ValueError, match="print_every"):
        run(train, print_every=-1)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
