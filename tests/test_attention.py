"""Self-attention with one head and with several, and modules applied to each place of a sequence."""
import numpy as np
import pytest

from lib.activations import ReLU
from lib.layers.attention import MultiHeadSelfAttention, PerPosition, SelfAttention
from lib.layers.embedding import Embedding, PositionalEmbedding
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.layers.normalization import LayerNorm
from tests.finite_differences import assert_backward_is_right, numeric_gradient

MODULES = [SelfAttention, MultiHeadSelfAttention]


@pytest.mark.parametrize("module_class, number", [(SelfAttention, 0), (SelfAttention, 1), (MultiHeadSelfAttention, 0),
                                                  (MultiHeadSelfAttention, 1), (PerPosition, 0)])
def test_finite_differences(rng, module_class, number):
    module, inputs = module_class.examples(rng)[number]
    assert_backward_is_right(module, inputs)
    module.check_gradients(inputs)


def test_the_definition_place_by_place(rng):
    attention = SelfAttention(3, 2)
    x = rng.standard_normal((1, 4, 3))
    query = x[0] @ attention.query.W.data + attention.query.b.data
    key = x[0] @ attention.key.W.data
    value = x[0] @ attention.value.W.data + attention.value.b.data
    y = attention(x)
    for place in range(4):
        scores = np.exp([query[place] @ key[other] / np.sqrt(2) for other in range(4)])
        np.testing.assert_allclose(y[0, place], sum(s / scores.sum() * v for s, v in zip(scores, value)))
        np.testing.assert_allclose(attention.weights[0, 0, place], scores / scores.sum())


def test_several_heads_are_several_single_heads_side_by_side(rng):
    joint = MultiHeadSelfAttention(6, 3, causal=True)
    x = rng.standard_normal((2, 5, 6))
    heads = []
    for head in range(3):
        single = SelfAttention(6, 2, causal=True)
        columns = slice(2 * head, 2 * head + 2)
        for own, whole in ((single.query, joint.query), (single.key, joint.key), (single.value, joint.value)):
            own.W.data = whole.W.data[:, columns]
            if not own.b.constant:
                own.b.data = whole.b.data[columns]
        heads.append(single(x))
    expected = np.concatenate(heads, axis=-1) @ joint.output.W.data + joint.output.b.data
    np.testing.assert_allclose(joint(x), expected)


@pytest.mark.parametrize("module_class", MODULES)
def test_causal_attention_does_not_see_the_future(rng, module_class):
    module = module_class(4, 2, causal=True)
    x = rng.standard_normal((2, 5, 4))
    before = module(x)
    np.testing.assert_array_equal(np.triu(module.weights, k=1), np.zeros_like(module.weights))
    x[:, 3:] = 100.0
    np.testing.assert_allclose(module(x)[:, :3], before[:, :3])
    grad = np.zeros_like(before)
    grad[:, 2] = 1.0
    assert not module.backward(grad)[:, 3:].any()
    open_module = module_class(4, 2)
    changed = open_module(x)
    x[:, 4] = -100.0
    assert (open_module(x)[:, 0] != changed[:, 0]).any()


@pytest.mark.parametrize("module_class", MODULES)
def test_weights_of_each_place_sum_to_one_and_great_scores_stay_finite(rng, module_class):
    module = module_class(4, 2)
    y = module(rng.standard_normal((2, 5, 4)) * 1000)
    np.testing.assert_allclose(module.weights.sum(axis=-1), 1)
    assert np.isfinite(y).all() and np.isfinite(module.backward(y)).all()


@pytest.mark.parametrize("module_class", MODULES)
def test_gradients_accumulate_and_nothing_else_changes(rng, module_class):
    module = module_class(4, 2)
    x = rng.standard_normal((2, 3, 4))
    grad = rng.standard_normal(module(x).shape)
    arrays = [x, grad] + [param.data for param in module.parameters()]
    before = [a.copy() for a in arrays]
    module.backward(grad)
    once = [param.grad.copy() for param in module.parameters()]
    module.backward(grad)
    for param, first in zip(module.parameters(), once):
        np.testing.assert_allclose(param.grad, 2 * first)
    for after, saved in zip(arrays, before):
        np.testing.assert_array_equal(after, saved)


@pytest.mark.parametrize("module_class", MODULES)
def test_precision(rng, module_class):
    x = rng.standard_normal((2, 3, 4)).astype(np.float32)
    for module in (module_class(4, 2, causal=True), module_class(4, 2).astype(np.float32)):
        y = module(x)
        assert y.dtype == module.backward(y).dtype == module.weights.dtype == np.float32


def transformer(vocabulary, length, features):
    """A network such as language models consist of, in small."""
    return Sequential(Embedding(vocabulary, features), PositionalEmbedding(length, features),
                      Residual(Sequential(LayerNorm(features), MultiHeadSelfAttention(features, 2, causal=True))),
                      Residual(Sequential(LayerNorm(features), PerPosition(
                          Sequential(Linear(features, 2 * features), ReLU(), Linear(2 * features, features))))),
                      PerPosition(Linear(features, vocabulary)))


def flat_loss(loss, logits, labels):
    return loss(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1, labels.shape[-1]))


def test_gradients_through_a_transformer(rng):
    model, loss = transformer(3, 4, 4), CrossEntropyLoss()
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    x, labels = rng.integers(0, 3, (2, 4)), np.eye(3)[rng.integers(0, 3, (2, 4))]
    logits = model(x)
    flat_loss(loss, logits, labels)
    model.backward(loss.backward().reshape(logits.shape))
    for path, param in model.named_parameters():
        expected = numeric_gradient(lambda: flat_loss(loss, model(x), labels), param.data)
        np.testing.assert_allclose(param.grad, expected, rtol=1e-5, atol=1e-8, err_msg=path)


def test_a_transformer_learns_to_look_back(rng):
    """Each place is to name what stood one place before it: only attention can know."""
    from lib.optimizers import Adam
    model, loss = transformer(4, 6, 8), CrossEntropyLoss()
    optimizer = Adam(model.parameters(), lr=0.02)
    for step in range(150):
        x = rng.integers(0, 4, (16, 6))
        labels = np.eye(4)[np.roll(x, 1, axis=1)][:, 1:]
        optimizer.zero_grad()
        logits = model(x)
        cost = flat_loss(loss, logits[:, 1:], labels)
        grad = np.zeros_like(logits)
        grad[:, 1:] = loss.backward().reshape(labels.shape)
        model.backward(grad)
        optimizer.step()
    assert cost < 0.1  # guessing costs ln 4 = 1.39


@pytest.mark.parametrize("module_class", MODULES)
def test_wrong_calls_get_a_sentence(module_class):
    module = module_class(4, 2)
    with pytest.raises(AssertionError, match="before forward"):
        module.backward(np.ones((1, 3, 4)))
    with pytest.raises(ValueError, match=r"\(batch, length, 4\).*newaxis"):
        module(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"\(batch, length, 4\)"):
        module(np.ones((1, 4, 3)))
    with pytest.raises(ValueError, match="empty"):
        module(np.ones((0, 3, 4)))
    module(np.ones((1, 3, 4)))
    with pytest.raises(ValueError, match="upstream gradient"):
        module.backward(np.ones((1, 2, 4)))
    with pytest.raises(ValueError, match="features"):
        module_class(0, 2)
    with pytest.raises(ValueError, match="heads to divide"):
        MultiHeadSelfAttention(4, 3)
    with pytest.raises(ValueError, match="sequences"):
        PerPosition(Linear(2, 2))(np.ones((2, 2)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
