"""The experiments on MNIST: exercises.digits.train_network and mnist_convolutional."""
from __future__ import annotations

import numpy as np
import pytest

from lib.dataset_mnist import load_mnist_data
from exercises.digits import train_convolutional as mnist_convolutional
from exercises.digits.train_network import create_mnist_net, draw_results, main, train_on_mnist
from exercises.digits.train_convolutional import create_convolutional_net


def some_digits(num_train=300, num_test=50):
    """Return images of three patterns in place of MNIST, as load_mnist_data gives them."""
    rng = np.random.default_rng(0)
    patterns = rng.uniform(0, 1, (10, 784))

    def draw(n):
        digits = rng.integers(0, 3, n)
        return (np.clip(patterns[digits] + 0.1 * rng.standard_normal((n, 784)), 0, 1).astype(np.float32),
                np.eye(10, dtype=np.float32)[digits])

    parts = [draw(num_train), draw(num_test), draw(num_test)]
    return tuple(x for x, _ in parts) + tuple(y for _, y in parts)


def test_the_network_is_784_128_10_in_float32_by_hes_rule():
    model = create_mnist_net(rng=np.random.default_rng(0))
    assert [parameter.data.shape for parameter in model.parameters()] == [(784, 128), (128,), (128, 10), (10,)]
    assert all(parameter.data.dtype == np.float32 for parameter in model.parameters())
    assert model[0].W.data.std() == pytest.approx(np.sqrt(2 / 784), rel=0.02) and not model[0].b.data.any()


def test_the_recipe_learns_and_a_seed_repeats_it():
    runs = [train_on_mnist(create_mnist_net(16, np.random.default_rng(1)), some_digits(), epochs=3, rng=1)
            for _ in range(2)]
    assert runs[0][1] > 0.95 and runs[0][1] == runs[1][1] and runs[0][0]["loss"] == runs[1][0]["loss"]
    assert runs[0][0]["lr"][0] == 0.002 and runs[0][0].num_epochs == 3


def test_the_command_prints_the_run_resumes_it_and_draws_if_asked(monkeypatch, tmp_path, capsys):
    drawn = []
    monkeypatch.setattr("exercises.digits.train_network.load_mnist_data", some_digits)
    monkeypatch.setattr("exercises.digits.train_network.draw_results", lambda *args: drawn.append(args))
    options = ["--hidden", "9", "--seed", "3", "--examples", "100", "--checkpoint", str(tmp_path / "run.npz")]
    main(options + ["--epochs", "2"])
    first = capsys.readouterr().out
    assert "Linear(784, 9)" in first and "Test accuracy:" in first and not drawn
    main(options + ["--epochs", "2", "--plot", str(tmp_path)])
    assert capsys.readouterr().out == first
    (model, history, _, folder), = drawn
    assert model[0].W.data.shape == (784, 9) and history.num_epochs == 2 and folder == tmp_path


def test_the_convolutional_network_runs_by_the_same_command(monkeypatch, capsys):
    def some_images(flatten):
        assert not flatten
        return tuple(a.reshape(-1, 1, 28, 28) if a.shape[1] == 784 else a for a in some_digits())

    monkeypatch.setattr(mnist_convolutional, "load_mnist_data", some_images)
    mnist_convolutional.main(["--epochs", "2", "--channels", "2"])
    printed = capsys.readouterr().out
    assert "(batch, 4, 4, 4)" in printed and "Test accuracy:" in printed
    first, second = (float(line.split()[1]) for line in printed.splitlines() if line.split()[:1] in (["1"], ["2"]))
    assert second < first


@pytest.mark.slow
def test_a_convolutional_network_reaches_98_5_percent():
    rng = np.random.default_rng(0)
    model = create_convolutional_net(rng=rng)
    assert train_on_mnist(model, load_mnist_data(flatten=False), rng=rng)[1] >= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_at_least_97_8_percent_of_mnists_test_images_in_10_epochs(seed, tmp_path):
    rng, data = np.random.default_rng(seed), load_mnist_data()
    model = create_mnist_net(rng=rng)
    history, test_accuracy = train_on_mnist(model, data, rng=rng)
    assert history.num_epochs == 10 and test_accuracy >= 0.978
    draw_results(model, history, data, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "mnist_history.png", "mnist_weights.png", "mnist_misclassified.png"}


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
