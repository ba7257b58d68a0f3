"""The experiments of sheets 5 and 6, and the pictures of what they save, on a few made-up digits."""
from __future__ import annotations

import numpy as np
import pytest

from lib import dataset_mnist
from lib.data.mnist import shifted
from lib.experiments import run_conv_experiment, run_shifted_conv_experiment, train_models
from lib.utilities import load_result, save_result


@pytest.fixture(autouse=True)
def some_digits(monkeypatch, tmp_path):
    """Three vertical and seven horizontal strokes in place of MNIST, and a folder for results."""
    rng = np.random.default_rng(0)

    def draw(n):
        y = rng.integers(0, 10, n)
        x = 0.1 * rng.random((n, 28, 28))
        for image, digit in zip(x, y):
            place = slice(6 + 2 * digit, 8 + 2 * digit)
            image[(slice(5, 23), place) if digit < 3 else (place, slice(5, 23))] += 0.8
        return x.reshape(n, 784).astype(np.float32), np.eye(10, dtype=np.float32)[y]

    parts = [draw(100), draw(60), draw(60)]
    data = tuple(x for x, _ in parts) + tuple(y for _, y in parts)
    monkeypatch.setattr(dataset_mnist, "load_mnist_data", lambda: data)
    monkeypatch.chdir(tmp_path)


def test_train_models_saves_curves_and_weights_for_each_regularisation(capsys):
    results = train_models(num_examples=100, num_epochs=5)
    assert list(results) == ["none", "L1", "L2", "dropout"]
    for result in results.values():
        assert [curve.shape for curve in result["curves"]] == [(5,)] * 4 and result["weights"].shape == (784, 100)
        assert result["curves"][0][-1] < result["curves"][0][0]
    np.testing.assert_equal(load_result("regularization"), results)
    sizes = {name: np.abs(result["weights"]).sum() for name, result in results.items()}
    assert sizes["L1"] < sizes["none"] and sizes["L2"] < sizes["none"]
    assert "Regularisation: dropout" in capsys.readouterr().out


def test_the_distribution_of_the_weights_is_drawn():
    pytest.importorskip("matplotlib", reason="the pictures are drawn by Matplotlib")
    from lib.plot import plot_distribution
    with pytest.raises(FileNotFoundError, match="Run the experiment that saves it first"):
        plot_distribution()
    save_result("regularization", {"none": {"weights": np.linspace(-1, 1, 40)}, "L1": {"weights": np.zeros(40)}})
    figure = plot_distribution()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["none: 0% within 0.001 of 0", "L1: 100% within 0.001 of 0"]
    assert all(sum(patch.get_height() for patch in axes.patches) == 40 for axes in figure.axes)


def test_the_convolutional_network_is_compared_with_a_linear_one(capsys):
    found = run_conv_experiment(num_examples=100, num_epochs=6)
    assert set(found) == {"linear", "convolutional"} and all(0.5 < share <= 1 for share in found.values())
    printed = capsys.readouterr().out
    assert f"60 test images: linear {found['linear']:.4f}, convolutional {found['convolutional']:.4f}" in printed
    shifted_found = run_shifted_conv_experiment(num_examples=100, num_epochs=6)
    assert printed.splitlines()[-1] in capsys.readouterr().out  # the same networks
    assert all(shifted_found[name] <= found[name] for name in found)


def test_shifted_images_keep_what_stays_inside(rng):
    images = rng.random((50, 1, 5, 6))
    moved = shifted(images, 2, np.random.default_rng(1))
    corners = np.random.default_rng(1).integers(0, 5, (50, 2)) - 2
    assert moved.shape == images.shape and len({tuple(corner) for corner in corners}) > 15
    for before, after, (down, right) in zip(images[:, 0], moved[:, 0], corners):
        for r, c in np.ndindex(5, 6):
            inside = 0 <= r + down < 5 and 0 <= c + right < 6
            assert after[r, c] == (before[r + down, c + right] if inside else 0)
    np.testing.assert_array_equal(shifted(images, 0, rng), images)
    with pytest.raises(ValueError, match="most"):
        shifted(images, -1, rng)


@pytest.mark.slow
def test_on_mnist_the_convolutional_network_keeps_more_of_its_accuracy(monkeypatch):
    monkeypatch.undo()
    straight = run_conv_experiment()
    moved = run_shifted_conv_experiment()
    assert straight["convolutional"] > straight["linear"] > 0.88
    assert moved["convolutional"] / straight["convolutional"] > moved["linear"] / straight["linear"] + 0.05


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
