"""Embedding and PositionalEmbedding."""
import numpy as np
import pytest

from lib.layers.embedding import Embedding, PositionalEmbedding
from lib.losses import MSELoss
from lib.convolutions import Flatten
from lib.network import Linear, Sequential
from tests.finite_differences import assert_backward_is_right, numeric_gradient


def test_an_embedding_is_a_one_hot_product(rng):
    embedding = Embedding(5, 3)
    x = rng.integers(0, 5, (4, 6))
    one_hot = np.eye(5)[x]
    y = embedding(x)
    np.testing.assert_allclose(y, one_hot @ embedding.W.data)
    grad = rng.standard_normal(y.shape)
    embedding.backward(grad)
    np.testing.assert_allclose(embedding.W.grad, one_hot.reshape(-1, 5).T @ grad.reshape(-1, 3))


@pytest.mark.parametrize("number", range(2))
def test_embedding_finite_differences(rng, number):
    embedding, (x,) = Embedding.examples(rng)[number]
    weights = rng.standard_normal(embedding(x).shape)
    np.testing.assert_array_equal(embedding.backward(weights), np.zeros(x.shape))
    expected = numeric_gradient(lambda: (weights * embedding(x)).sum(), embedding.W.data)
    np.testing.assert_allclose(embedding.W.grad, expected, rtol=1e-6, atol=1e-8)
    embedding.check_gradients_wrt_params((x,))


def test_gradients_accumulate():
    embedding = Embedding(3, 2)
    embedding(np.array([2, 2, 0]))
    for _ in range(2):
        embedding.backward(np.ones((3, 2)))
    assert embedding.W.grad.tolist() == [[2, 2], [0, 0], [4, 4]]
    position = PositionalEmbedding(3, 1)
    position(np.ones((4, 2, 1)))
    for _ in range(2):
        position.backward(np.ones((4, 2, 1)))
    assert position.W.grad.tolist() == [[8], [8], [0]]


def test_the_table_is_drawn_from_the_normal_distribution():
    np.random.seed(0)
    table = Embedding(4, 3).W.data
    np.random.seed(0)
    np.testing.assert_array_equal(table, np.random.randn(4, 3))
    np.testing.assert_array_equal(Embedding(4, 3, rng=np.random.default_rng(1)).W.data,
                                  np.random.default_rng(1).standard_normal((4, 3)))


def test_an_embedding_starts_a_network(rng):
    model = Sequential(Embedding(5, 3), PositionalEmbedding(4, 3), Flatten(), Linear(12, 2))
    x, labels, loss = rng.integers(0, 5, (6, 4)), rng.standard_normal((6, 2)), MSELoss()
    loss(model(x), labels)
    model.backward(loss.backward())
    for path, param in model.named_parameters():
        expected = numeric_gradient(lambda: loss(model(x), labels), param.data)
        np.testing.assert_allclose(param.grad, expected, rtol=1e-5, atol=1e-9, err_msg=path)


def test_precision():
    embedding = Embedding(3, 2).astype(np.float32)
    assert embedding(np.array([1], dtype=np.uint8)).dtype == np.float32
    position = PositionalEmbedding(3, 2)
    y = position(np.ones((1, 2, 2), dtype=np.float32))
    assert y.dtype == position.backward(y).dtype == np.float32


@pytest.mark.parametrize("x, sentence", [
    ([0, 3], "from 0 to 2, but got 3"), ([-1, 0], "from 0 to 2, but got -1"), ([0.0, 1.0], "whole numbers"),
    ([True], "whole numbers"), (np.zeros((0, 2), dtype=int), "empty"), (["a"], "whole numbers")])
def test_wrong_indices_get_a_sentence(x, sentence):
    with pytest.raises(ValueError, match=sentence):
        Embedding(3, 2)(np.array(x))


def test_wrong_calls_get_a_sentence():
    embedding = Embedding(3, 2)
    with pytest.raises(AssertionError, match="before forward"):
        embedding.backward(np.ones((1, 2)))
    embedding(np.array([1]))
    with pytest.raises(ValueError, match=r"\(1, 2\)"):
        embedding.backward(np.ones((2, 2)))
    with pytest.raises(ValueError, match="num_embeddings"):
        Embedding(0, 2)
    with pytest.raises(ValueError, match="embedding_dim"):
        Embedding(2, 0.5)


@pytest.mark.parametrize("number", range(2))
def test_positional_embedding_finite_differences(rng, number):
    module, inputs = PositionalEmbedding.examples(rng)[number]
    assert_backward_is_right(module, inputs)
    module.check_gradients(inputs)


def test_positions_are_added():
    position = PositionalEmbedding(3, 2)
    np.testing.assert_allclose(position(np.ones((4, 2, 2))), np.broadcast_to(1 + position.W.data[:2], (4, 2, 2)))
    with pytest.raises(ValueError, match="at most 3"):
        position(np.ones((1, 4, 2)))
    with pytest.raises(ValueError, match=r"\(batch, length, 2\)"):
        position(np.ones((4, 2)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
