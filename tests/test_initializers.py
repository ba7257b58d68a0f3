"""The initialisers: their variances, fan-in and fan-out, and what they change in a model."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU
from lib.convolutions import Conv2d
from lib.layers.embedding import Embedding
from lib.layers.initializers import INITIALIZERS, fans, initialize, orthogonal
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.network_base import Module, Parameter

VARIANCES = {  # of shape (300, 100), and of the convolution (40, 30, 3, 3)
    "lecun": (1 / 300, 1 / 270), "xavier": (2 / 400, 2 / (270 + 360)), "he": (2 / 300, 2 / 270),
}


def test_fans():
    assert fans((784, 128)) == (784, 128)
    assert fans((5, 784, 128)) == (784, 128)  # five networks at once
    assert fans((16, 3, 5, 4)) == (60, 320)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"orthogonal"}))
def test_variance_mean_and_range(name):
    rule = name.split("_")[0].replace("glorot", "xavier").replace("kaiming", "he")
    for shape, variance in zip([(300, 100), (40, 30, 3, 3)], VARIANCES[rule]):
        w = INITIALIZERS[name](shape, np.random.default_rng(0))
        assert w.shape == shape
        assert w.var() == pytest.approx(variance, rel=0.05) and abs(w.mean()) < 5 * np.sqrt(variance / w.size)
        normal = np.abs(w).max() > 1.01 * np.sqrt(3 * variance)  # beyond what a uniform distribution reaches
        assert normal == (not name.endswith("uniform") and rule != "xavier" or name.endswith("normal"))


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (2, 5, 4)])
def test_orthogonal(shape):
    w = orthogonal(shape, np.random.default_rng(1))
    swapped = np.swapaxes(w, -1, -2)
    product = swapped @ w if shape[-2] >= shape[-1] else w @ swapped
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(min(shape[-2:])), product.shape), atol=1e-12)


def test_orthogonal_convolution():
    w = orthogonal((4, 3, 2, 2), np.random.default_rng(1)).reshape(4, 12)
    np.testing.assert_allclose(w @ w.T, np.eye(4), atol=1e-12)


def test_orthogonal_prefers_no_direction():
    """Without the sign of R's diagonal, the QR decomposition favours negative diagonals."""
    rng = np.random.default_rng(2)
    first = np.array([orthogonal((2, 2), rng)[0, 0] for _ in range(400)])
    assert abs(np.mean(first > 0) - 0.5) < 0.1


def test_signals_keep_their_size_through_relu_layers():
    rng = np.random.default_rng(0)
    model = Sequential(*[layer for _ in range(10) for layer in (Linear(200, 200), ReLU())])
    x = rng.standard_normal((50, 200))
    size = np.mean(initialize(model, "he", rng)(x) ** 2)
    assert 0.2 < size < 5
    assert np.mean(initialize(model, "lecun", rng)(x) ** 2) < 0.01 * size  # 2^-10 of it, in the mean


def test_initialize_changes_weights_and_biases_in_place():
    model = Sequential(Linear(20, 30).astype(np.float32), Residual(Linear(30, 30)))
    arrays = [param.data for param in model.parameters()]
    assert initialize(model, "he", np.random.default_rng(0)) is model
    for param, array in zip(model.parameters(), arrays):
        assert param.data is array
    assert arrays[0].dtype == np.float32
    assert arrays[0].std() == pytest.approx(np.sqrt(2 / 20), rel=0.1) and np.all(arrays[1] == 0)
    assert arrays[2].std() == pytest.approx(np.sqrt(2 / 30), rel=0.1)


class Scale(Module):
    """A module with other parameters than weights and biases."""

    def __init__(self):
        self.gamma, self.beta = Parameter(np.full(3, 2.0), name="gamma"), Parameter(np.full(3, 5.0), name="beta")

    def parameters(self):
        return [self.gamma, self.beta]


def test_other_parameters_stay():
    model = initialize(Sequential(Linear(3, 3), Scale()), "xavier")
    assert model[1].gamma.data.tolist() == [2, 2, 2] and model[1].beta.data.tolist() == [5, 5, 5]


def test_tables_of_embeddings_stay():
    model = Sequential(Embedding(1000, 4), Linear(4, 4))
    before = model[0].W.data.copy()
    initialize(model, "he")
    assert np.array_equal(model[0].W.data, before)


def test_convolutions_too():
    layer = initialize(Conv2d(3, 50, (5, 5)), "he", np.random.default_rng(0))
    assert layer.W.data.std() == pytest.approx(np.sqrt(2 / 75), rel=0.05) and np.all(layer.b.data == 0)


def test_a_function_can_initialize():
    layer = initialize(Linear(2, 3), lambda shape, rng: np.full(shape, 7.0))
    assert np.all(layer.W.data == 7)


def test_global_random_state_unless_a_generator_is_given():
    def draw(rng=None):
        return initialize(Linear(4, 4), "xavier", rng).W.data.tolist()

    layer = Linear(4, 4)
    np.random.seed(1)
    first = initialize(layer, "xavier").W.data.tolist()
    np.random.seed(1)
    assert initialize(layer, "xavier").W.data.tolist() == first
    assert draw(np.random.default_rng(1)) == draw(np.random.default_rng(1)) != first


def test_own_draws_as_the_constructor_does():
    model = Sequential(Linear(5, 4), ReLU(), Linear(4, 3))
    initialize(model, "he")
    np.random.seed(6)
    initialize(model, "own")
    np.random.seed(6)
    fresh = Sequential(Linear(5, 4), ReLU(), Linear(4, 3))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(model.parameters(), fresh.parameters()))


def test_errors_are_sentences():
    with pytest.raises(ValueError, match="initializer.*'he'"):
        initialize(Linear(2, 2), "hee")
    with pytest.raises(ValueError, match=r"\(3,\)"):
        INITIALIZERS["he"]((3,), None)
    with pytest.raises(ValueError, match=r"Sequential\[1\].*Scale.*initializer"):
        initialize(Sequential(Linear(3, 3), Scale()), "own")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
