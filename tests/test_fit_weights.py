"""Weights of examples and of classes in fit: what they mean, and that they go with their examples everywhere."""
import numpy as np
import pytest

from lib.activations import ReLU
from lib.fitting.fit import fit
from lib.fitting.weights import checked_weights
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, MeanSquaredError
from lib.layers.weighted import WeightedLoss
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.optimizers import SGD, Adam
from lib.regularizers import L2Regularization, RegularizedCrossEntropy
from lib.saving.npz import FileContentError
from lib.validation import InputError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((12, 3)), np.eye(2)[[0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1]]
WEIGHTS = np.array([2, 1, 1, 3, 0, 1, 2, 1, 1, 0, 1, 1])


def trained(x=X, y=Y, loss_fn=None, batch_size=5, epochs=3, create=SGD, **more):
    """Return what fit made of a new network: its parameters as one vector, and the history."""
    np.random.seed(0)
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    history = fit(model, loss_fn or CrossEntropyLoss(), create(model.parameters(), lr=0.1), x, y, epochs, batch_size,
                  rng=1, **more)
    return np.concatenate([parameter.data.ravel() for parameter in model.parameters()]), history


@pytest.mark.parametrize("loss_fn", [CrossEntropyLoss(), MSELoss(), MeanSquaredError(), L1Loss(),
                                     BinaryCrossEntropyLoss()], ids=repr)
def test_a_whole_weight_is_as_many_copies_of_the_example(loss_fn):
    copies = np.repeat(np.arange(12), WEIGHTS)
    expected, history = trained(X[copies], Y[copies], loss_fn, batch_size=100)
    for scale in (1, 1000):  # only the proportions matter
        given, weighted = trained(loss_fn=loss_fn, batch_size=100, sample_weight=scale * WEIGHTS)
        np.testing.assert_allclose(given, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weighted["loss"], history["loss"], rtol=1e-12)


@pytest.mark.parametrize("create", [SGD, Adam])
@pytest.mark.parametrize("batch_size", [1, 4, 5])
def test_weights_are_shuffled_with_their_examples_as_in_a_loop_by_hand(create, batch_size):
    given, history = trained(sample_weight=WEIGHTS, batch_size=batch_size, create=create)
    np.random.seed(0)
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    optimizer, rng = create(model.parameters(), lr=0.1), np.random.default_rng(1)
    kept = np.flatnonzero(WEIGHTS)
    x, y, w = X[kept], Y[kept], WEIGHTS[kept] / WEIGHTS[kept].mean()
    for _ in range(3):
        order, total = rng.permutation(len(x)), 0.0
        for start in range(0, len(x), batch_size):
            batch = order[start:start + batch_size]
            optimizer.zero_grad()
            preds = model(x[batch])
            p = np.exp(preds) / np.exp(preds).sum(axis=1, keepdims=True)
            total += -(w[batch] * np.log((p * y[batch]).sum(axis=1))).sum()
            model.backward(w[batch, np.newaxis] * (p - y[batch]) / len(batch))
            optimizer.step()
        last = total / len(x)
    np.testing.assert_allclose(given, np.concatenate([p.data.ravel() for p in model.parameters()]), atol=1e-12)
    assert history["loss"][-1] == pytest.approx(last, rel=1e-12)


@pytest.mark.parametrize("class_weight, weights", [
    ({1: 3}, [1, 3]), ({0: 0.5, 1: 2}, [0.5, 2]), ([1, 4], [1, 4]), ("balanced", [12 / 18, 12 / 6]),
    (np.array([0, 1]), [0, 1])], ids=str)
@pytest.mark.parametrize("labels", ["one-hot", "a column"])
def test_a_class_weighs_as_each_of_its_examples(class_weight, weights, labels):
    y, loss_fn = (Y, CrossEntropyLoss()) if labels == "one-hot" else (Y[:, [1, 1]], MSELoss())
    if labels == "a column":
        y = np.where(np.arange(12) % 4 == 0, 1.0, 0.0).reshape(-1, 1)
        weights = [12 / 18, 12 / 6] if isinstance(class_weight, str) else weights

    def run(**more):
        np.random.seed(0)
        model = Linear(3, y.shape[1])
        fit(model, loss_fn, SGD(model.parameters(), lr=0.1), X, y, 2, 5, rng=1, **more)
        return model.W.data

    each = np.array(weights)[y.argmax(axis=1) if labels == "one-hot" else y[:, 0].astype(int)]
    np.testing.assert_array_equal(run(class_weight=class_weight), run(sample_weight=each))
    both = run(class_weight=class_weight, sample_weight=np.arange(1, 13))
    np.testing.assert_allclose(both, run(sample_weight=each * np.arange(1, 13)), atol=1e-14)


def test_validation_has_weights_of_its_own_and_none_of_the_classes():
    val = np.array([1.0, 2, 0, 0, 5, 1, 1, 1, 1, 1, 1, 1])
    plain, weighted, by_class = (trained(batch_size=5, **more)[1] for more in (
        dict(validation=(X, Y)), dict(validation=(X, Y, val)), dict(validation=(X, Y), class_weight=[1, 9])))
    assert plain["loss"] == weighted["loss"] != by_class["loss"]
    copies = np.repeat(np.arange(12), val.astype(int))
    repeated = trained(batch_size=5, validation=(X[copies], Y[copies]))[1]
    np.testing.assert_allclose(weighted["val_loss"], repeated["val_loss"], rtol=1e-12)
    np.random.seed(0)
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    history = fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), X, Y, 1, 5, class_weight=[1, 9],
                  validation=(X, Y))
    assert history["val_loss"][0] == pytest.approx(float(CrossEntropyLoss()(model(X), Y)), rel=1e-12)


def test_balanced_weights_leave_out_classes_that_have_no_example():
    y = np.eye(4)[[0, 0, 0, 0, 1, 3, 3]]  # one class with a single example, one with none: as scikit-learn has it
    np.testing.assert_allclose(checked_weights(None, "balanced", y), [7 / 12] * 4 + [7 / 3] + [7 / 6] * 2)
    np.testing.assert_allclose(checked_weights(None, "balanced", np.array([0, 0, 0, 0, 1, 3, 3])),
                               [7 / 12] * 4 + [7 / 3] + [7 / 6] * 2)
    assert checked_weights(None, None, y) is None  # then the loss is what it was


def test_soft_labels_have_a_share_of_each_classs_weight():
    np.testing.assert_allclose(checked_weights(None, [1, 3], np.array([[0.5, 0.5], [1, 0], [0.25, 0.75]])), [2, 1, 2.5])
    np.testing.assert_allclose(checked_weights([2, 1], {1: 3}, np.array([[0.5], [1.0]])), [4, 3])


def test_weights_mean_what_they_mean_in_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(3)
    x, weights = rng.standard_normal((40, 2)), rng.integers(1, 5, 40)
    classes = (x[:, 0] + 1.5 * rng.standard_normal(40) > 0).astype(int)
    model = Linear(2, 2)
    fit(model, CrossEntropyLoss(), Adam(model.parameters(), lr=0.05), x, np.eye(2)[classes], 800, 40,
        sample_weight=weights, class_weight={1: 4})
    theirs = linear_model.LogisticRegression(C=1e12, tol=1e-10, max_iter=10000, class_weight={0: 1, 1: 4})
    odds = theirs.fit(x, classes, sample_weight=weights).decision_function(x)
    np.testing.assert_allclose(model(x)[:, 1] - model(x)[:, 0], odds, atol=1e-4)


def test_equal_weights_change_nothing():
    np.testing.assert_allclose(trained(sample_weight=np.full(12, 7))[0], trained()[0], atol=1e-14)


@pytest.mark.parametrize("change", [dict(sample_weight=WEIGHTS + 1), dict(sample_weight=None),
                                    dict(class_weight=[1, 2]), dict(validation=(X, Y)),
                                    dict(validation=(X, Y, WEIGHTS + 2))], ids=range(5))
def test_other_weights_are_another_run(change, tmp_path):
    path, same = tmp_path / "run.npz", dict(sample_weight=WEIGHTS, validation=(X, Y, WEIGHTS + 1))
    whole, _ = trained(epochs=4, **same)
    trained(epochs=2, checkpoint=path, **same)
    with pytest.raises(FileContentError, match="another run"):
        trained(epochs=4, checkpoint=path, **{**same, **change})
    np.testing.assert_array_equal(trained(epochs=4, checkpoint=path, **same)[0], whole)


@pytest.mark.parametrize("wrong, words", [
    (dict(sample_weight=[1, 2]), r"sample_weight.*shape \(12,\), but got \[1.0, 2.0\]"),
    (dict(sample_weight=WEIGHTS.reshape(-1, 1)), r"of shape \(12, 1\)"),
    (dict(sample_weight=-WEIGHTS), "from 0 upward"),
    (dict(sample_weight=WEIGHTS * np.nan), "finite"), (dict(sample_weight=np.zeros(12)), "nothing to learn from"),
    (dict(sample_weight=["a"] * 12), "array of numbers"), (dict(sample_weight="balanced"), "array of numbers"),
    (dict(sample_weight=np.ma.masked_less(WEIGHTS, 1)), "masked"), (dict(class_weight="equal"), "'balanced', but got"),
    (dict(class_weight={2: 1.0}), "from 0 to 1, but 2"), (dict(class_weight={"a": 1.0}), "but 'a'"),
    (dict(class_weight={True: 1.0}), "but True"), (dict(class_weight={0: -1}), "class_weight.*from 0"),
    (dict(class_weight=[1, 2, 3]), r"of shape \(2,\)"), (dict(class_weight=5), r"of shape \(2,\)"),
    (dict(class_weight=[1, 2], y=RNG.standard_normal((12, 2)), loss_fn=MSELoss()), "give each example its own"),
    (dict(class_weight=[1, 2], y=np.ones((12, 2)), loss_fn=BinaryCrossEntropyLoss()), "labels that are classes"),
    (dict(class_weight=[1, 2], y=Y * 0.9, loss_fn=MSELoss()), "labels that are classes"),
    (dict(validation=(X, Y, [1])), r"validation.*sample_weight.*\(12,\)"),
    (dict(sample_weight=WEIGHTS, compiled=True), "WeightedLoss"),
    (dict(sample_weight=WEIGHTS, loss_fn=WeightedLoss(CrossEntropyLoss())), "give fit the loss that is in it"),
    (dict(sample_weight=WEIGHTS, loss_fn=RegularizedCrossEntropy(L2Regularization(0.1, Linear(2, 2).parameters()))),
     "weight_decay")], ids=lambda each: each if isinstance(each, str) else "")
def test_weights_that_are_none_get_a_sentence(wrong, words):
    with pytest.raises(InputError, match=words):
        trained(**wrong)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
