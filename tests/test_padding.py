"""Padding masks reach attention at any depth: a padded sequence is what it is alone, in training as in evaluation."""
import numpy as np
import pytest

from lib.fitting.fit import fit
from lib.graph import constant
from lib.inspection.prediction import predict
from lib.layers.attention import MultiHeadSelfAttention, PerPosition, SelfAttention
from lib.layers.embedding import Embedding, PositionalEmbedding
from lib.layers.losses import MeanSquaredError
from lib.layers.normalization import LayerNorm
from lib.layers.padding import Padded
from lib.layers.residual import Residual
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.optimizers import SGD
from lib.saving.model_files import load, save
from lib.validation import InputError

LENGTHS = [5, 3, 1]
X = np.where(np.arange(5) < np.array(LENGTHS)[:, np.newaxis], np.arange(1, 16).reshape(3, 5) % 7 + 1, 0)


class FirstPlace(Module):
    """Gives the first place of each sequence alone, so that nothing of padded places is seen."""

    def forward(self, x):
        self.input_cache = x
        return x[:, 0].copy()

    def backward(self, grad):
        whole = np.zeros_like(self.input_cache)
        whole[:, 0] = grad
        return whole


def transformer(seed=0):
    np.random.seed(seed)
    block = [Residual(Sequential(LayerNorm(4), MultiHeadSelfAttention(4, 2))),
             Residual(Sequential(LayerNorm(4), PerPosition(Linear(4, 4))))]
    return Sequential(Sequential(Embedding(9, 4), PositionalEmbedding(5, 4)), Sequential(*block), SelfAttention(4, 3),
                      FirstPlace())


def alone(model):
    return np.concatenate([model(X[n:n + 1, :length]) for n, length in enumerate(LENGTHS)])


@pytest.mark.parametrize("padding", [0, 8])
def test_a_padded_sequence_is_what_it_is_alone_through_containers(padding):
    model = transformer()
    padded = Padded(model, padding)
    np.testing.assert_allclose(padded(np.where(X == 0, padding, X)), alone(model), rtol=1e-12)
    assert abs(model(X) - alone(model)).max() > 1e-3  # it wouldn't be, without


def test_sequences_of_vectors():
    model = Sequential(MultiHeadSelfAttention(4, 2), FirstPlace())
    vectors = np.random.default_rng(0).standard_normal((9, 4))
    vectors[0] = 0
    vectors[1, :3] = 0  # a place with a single 0, or three, is none of padding
    expected = np.concatenate([model(vectors[X[n:n + 1, :length]]) for n, length in enumerate(LENGTHS)])
    np.testing.assert_allclose(Padded(model)(vectors[X]), expected, rtol=1e-12)


def test_its_gradients_are_those_of_the_sequences_alone():
    model, upstream = transformer(), np.random.default_rng(1).standard_normal((3, 3))
    padded = Padded(model)
    padded(X)
    padded.backward(upstream)
    grads = [parameter.grad.copy() for parameter in model.parameters()]
    model._zero_grad()
    for n, length in enumerate(LENGTHS):
        model(X[n:n + 1, :length])
        model.backward(upstream[n:n + 1])
    for (name, parameter), grad in zip(model.named_parameters(), grads):
        np.testing.assert_allclose(grad, parameter.grad, rtol=1e-9, atol=1e-12, err_msg=name)
    padded.check_gradients((X,))


def test_it_is_trained_saved_and_drawn_like_any_model(tmp_path):
    padded, targets = Padded(transformer()), np.eye(3)
    history = fit(padded, MeanSquaredError(), SGD(padded.parameters(), lr=0.1), X, targets, 20, 2, rng=0,
                  validation=(X, targets))
    assert history["val_loss"][-1] < history["val_loss"][0]
    np.testing.assert_allclose(predict(padded, X, batch_size=2), alone(padded.model), rtol=1e-12)
    other = load(Padded(transformer(1)), save(padded, tmp_path / "model.npz"))
    np.testing.assert_array_equal(other(X), padded(X))
    assert padded.model.modules[2].mask is None  # only for the time of a forward pass


def test_in_a_graph_it_is_masked_too():
    model = Padded(Sequential(SelfAttention(2)))
    x = np.array([[[1.0, 2], [3, 1], [0, 0]]])
    np.testing.assert_allclose(model(constant(x)).value, model(x))


@pytest.mark.parametrize("wrong, words", [
    (lambda: Padded(Linear(2, 2)), "has none"), (lambda: Padded(SelfAttention), "the class SelfAttention"),
    (lambda: Padded(SelfAttention(2), "0"), "padding"), (lambda: Padded(SelfAttention(2), [0, 1]), "padding"),
    (lambda: Padded(SelfAttention(2))(np.ones(3)), r"but got \(3,\)"),
    (lambda: Padded(SelfAttention(2))(np.zeros((1, 2, 2))), "sequence 0 has nothing but padding")])
def test_what_is_wrong_gets_a_sentence(wrong, words):
    with pytest.raises(InputError, match=words):
        wrong()
    attention = SelfAttention(2)
    with pytest.raises(InputError):
        Padded(attention)(np.zeros((1, 2, 2)))
    assert attention.mask is None


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
