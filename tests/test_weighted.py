"""Class weights, sample weights, and padding masks in attention."""
import numpy as np
import pytest

from lib.activations import Sigmoid, Softmax
from lib.fitting.fit import fit
from lib.layers.attention import MultiHeadSelfAttention, PerPosition, SelfAttention
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, MeanSquaredError
from lib.layers.weighted import WeightedLoss
from lib.losses import CrossEntropyLoss, MSELoss
from lib.model_evaluation import evaluate
from lib.network import Linear, Sequential
from lib.optimizers import SGD
from lib.regularizers import L2Regularization, RegularizedCrossEntropy
from tests.finite_differences import assert_backward_is_right


@pytest.mark.parametrize("loss_fn", [CrossEntropyLoss(), MSELoss(), MeanSquaredError(), L1Loss(),
                                     BinaryCrossEntropyLoss()], ids=repr)
def test_sample_weights_are_repetitions(rng, loss_fn):
    preds, labels = rng.standard_normal((4, 3)), np.eye(3)[[0, 2, 1, 1]]
    times = np.array([1, 3, 0, 2])
    repeated = loss_fn(np.repeat(preds, times, axis=0), np.repeat(labels, times, axis=0))
    weighted = WeightedLoss(loss_fn)
    assert weighted(preds, labels, times) == pytest.approx(repeated)
    assert weighted(preds, labels, times / 7.0) == pytest.approx(repeated)
    assert weighted(preds, labels) == pytest.approx(loss_fn(preds, labels))
    assert_backward_is_right(weighted, (preds, labels, times.astype(float)))


def test_class_weights_are_pytorchs(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the other witness")
    preds, classes = rng.standard_normal((6, 3)), np.array([0, 2, 1, 1, 0, 0])
    weights = [0.5, 2.0, 1.0]
    expected = torch.nn.CrossEntropyLoss(weight=torch.tensor(weights, dtype=torch.float64))(
        torch.tensor(preds), torch.tensor(classes))
    assert WeightedLoss(CrossEntropyLoss(), weights)(preds, np.eye(3)[classes]) == pytest.approx(float(expected))


def test_class_weights_of_a_yes_no_question(rng):
    preds, labels = rng.standard_normal((4, 1)), np.array([[1.0], [0.0], [0.0], [1.0]])
    loss_fn = BinaryCrossEntropyLoss()
    expected = WeightedLoss(loss_fn)(preds, labels, [5, 1, 1, 5])
    assert WeightedLoss(loss_fn, [1, 5])(preds, labels) == pytest.approx(expected)
    assert WeightedLoss(loss_fn, [1, 5])(preds[:, 0], labels[:, 0]) == pytest.approx(expected)


def test_fit_takes_it(rng):
    x, labels = rng.standard_normal((40, 2)), np.eye(2)[(np.arange(40) % 10 == 0).astype(int)]
    found = []
    for weights in ([1, 1], [1, 9]):
        model = Sequential(Linear(2, 2, rng=np.random.default_rng(0)))
        loss_fn = WeightedLoss(CrossEntropyLoss(), weights)
        fit(model, loss_fn, SGD(model.parameters(), lr=0.5), x, labels, epochs=30, batch_size=40)
        found.append((model(x).argmax(axis=1) == 1).sum())
    assert found[0] == 0 < found[1]  # without weights, the rare class is never predicted


@pytest.mark.parametrize("call, words", [
    (lambda p, y: WeightedLoss(CrossEntropyLoss(), [1, 2])(p, y), "2 class_weights for labels of shape"),
    (lambda p, y: WeightedLoss(CrossEntropyLoss(), [1, -2, 1]), "from 0 upwards"),
    (lambda p, y: WeightedLoss(CrossEntropyLoss())(p, y, [1, np.nan, 1]), "from 0 upwards"),
    (lambda p, y: WeightedLoss(CrossEntropyLoss())(p, y, [[1], [1], [1]]), r"shape \(3,\), but got"),
    (lambda p, y: WeightedLoss(CrossEntropyLoss())(p, y, [0, 0, 0]), "weight 0"),
    (lambda p, y: WeightedLoss(RegularizedCrossEntropy(L2Regularization(1, Linear(2, 2).parameters()))), "penalty")])
def test_wrong_weights(rng, call, words):
    with pytest.raises(ValueError, match=words):
        call(rng.standard_normal((3, 3)), np.eye(3))


@pytest.mark.parametrize("attention", [SelfAttention(4), SelfAttention(4, 3, causal=True),
                                       MultiHeadSelfAttention(4, 2)], ids=repr)
def test_a_padded_sequence_is_what_it_is_alone(rng, attention):
    lengths, x = [5, 3, 1], rng.standard_normal((3, 5, 4))
    mask = np.arange(5) < np.array(lengths)[:, np.newaxis]
    y, upstream = attention(x, mask), rng.standard_normal((3, 5, attention(x).shape[2]))
    upstream[~mask] = 0  # nobody looks at what stands in padded places
    attention(x, mask)
    grad = attention.backward(upstream)
    assert not grad[~mask].any()
    for n, length in enumerate(lengths):
        alone = x[n:n + 1, :length]
        np.testing.assert_allclose(attention(alone)[0], y[n, :length])
        np.testing.assert_allclose(attention.backward(upstream[n:n + 1, :length])[0], grad[n, :length])
    assert_backward_is_right(attention, (x, mask))


def test_an_example_of_weight_0_does_not_count_whatever_its_loss(rng):
    preds, labels = np.array([[0.0, 0.0], [-np.inf, 0.0]]), np.eye(2)[[0, 0]]
    assert WeightedLoss(CrossEntropyLoss())(preds, labels, [1, 1]) == np.inf
    assert WeightedLoss(CrossEntropyLoss())(preds, labels, [1, 0]) == pytest.approx(np.log(2))


def test_it_is_judged_and_warned_about_as_the_loss_inside(rng):
    model, x = Linear(2, 1), np.array([[1.0, 0], [-1, 0], [0.2, 0]])
    model.W.data, model.b.data = [[1.0], [0.0]], [0.0]
    y = np.array([[1.0], [0], [1]])  # logits 1, -1 and 0.2: all right, by their sign
    for loss_fn in (BinaryCrossEntropyLoss(), WeightedLoss(BinaryCrossEntropyLoss(), [1, 2])):
        assert evaluate(x, y, model, loss_fn, 2)[0] == 1
    assert evaluate(x, y, model, WeightedLoss(MSELoss()), 2)[0] == pytest.approx(2 / 3)
    for activation, loss_fn in ((Softmax(), CrossEntropyLoss()), (Sigmoid(), BinaryCrossEntropyLoss())):
        preds = activation(rng.standard_normal((3, 2)))
        with pytest.warns(UserWarning, match=f"contains the {type(activation).__name__} already"):
            WeightedLoss(loss_fn)(preds, np.eye(2)[[0, 1, 0]], [1, 2, 3])


def test_attention_says_what_is_wrong(rng):
    for call, words in [(lambda: SelfAttention(0), "features"), (lambda: SelfAttention(2.5), "features"),
                        (lambda: SelfAttention(2)(np.ones((0, 3, 2))), "empty"),
                        (lambda: PerPosition(Linear(2, 2))(np.ones((2, 0, 2))), "empty")]:
        with pytest.raises(ValueError, match=words):
            call()


def test_wrong_masks(rng):
    attention, x = SelfAttention(4), rng.standard_normal((2, 3, 4))
    for mask, words in [(np.ones((2, 4), bool), r"\(2, 3\)"), (np.ones((2, 3)), "booleans"),
                        (np.array([[True] * 3, [False] * 3]), "sequence 1")]:
        with pytest.raises(ValueError, match=words):
            attention(x, mask)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
