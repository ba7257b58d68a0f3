"""Why a start is stuck: each cause by name and numbers, the cure against a control, and what isn't stuck."""
from __future__ import annotations

import copy

import numpy as np
import pytest

from exercises.backpropagation import stuck_starts
from exercises.backpropagation.xor_networks import PLATEAUS
from lib.activations import ReLU, Sigmoid, Softmax
from lib.dataset import X, y
from lib.inspection import descent
from lib.inspection.stuck import confused_points, why_stuck
from lib.layers import Identity, LeakyReLU, MeanSquaredError, Tanh
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential

LABELS = np.eye(2)[y]


def network(W1, b1, W2, b2, activation=ReLU):
    """Return Linear, activation, Linear with these parameters."""
    W1, W2 = np.array(W1, float), np.array(W2, float)
    model = Sequential(Linear(*W1.shape), activation(), Linear(*W2.shape))
    for parameter, values in zip(model.parameters(), (W1, b1, W2, b2)):
        parameter.data = np.array(values, float)
    return model


ZEROS = [[0, 0], [0, 0]]
LINEAR = network([[1, 2], [1, -1]], [1, 3], ZEROS, [0, 0])
ONE_OFF = network([[-1, 9], [-1, 0]], [-1, -8], [[0, 0], [0, 9]], [.35, -.35])
ALL_OFF = network([[-1, -2], [-1, -1]], [-1, 0], ZEROS, [0, 0])
SAME_FOLD = network([[9, 8], [-9, -8]], [0, 0], [[0, 5], [0, 5]], [.35, -.35])
BEYOND = network([[-9, -9], [-1, 9]], [5, 0], [[9, -9], [-9, 9]], [0, 0])
SATURATED = network([[9, 7], [3, -3]], [-1, 1], [[-6, 6], [5, -5]], [0, 0], Sigmoid)


@pytest.mark.parametrize("model, cause, words", [
    (LINEAR, "no unit bends", ["unit 0's input is 1.00 to 3.00, its slope 100%", "0.6931 = ln 2",
                               "(0, 0), (0, 1), (1, 0) and (1, 1) are confused"]),
    (ONE_OFF, "a unit is off", ["Unit 0 is off at all 4 points", "-3.00 to -1.00, its slope 0%", "are confused"]),
    (ALL_OFF, "a unit is off", ["Every hidden unit is off at all 4 points", "no gradient"]),
    (SAME_FOLD, "same fold", ["Both hidden units fold between the same points, as along the same line, on at (1, 0) "
                              "and off at (0, 0), (0, 1) and (1, 1)", "0.4774", "three of four points"]),
    (BEYOND, "beyond every fold", ["Every hidden unit is off at (1, 0) and (1, 1)", "0.3466", "two of four points"]),
    (SATURATED, "saturated", ["Every hidden unit saturates at (1, 0) and (1, 1)", "unit 0's input is 8.00 to 11.00"])])
def test_each_cause_is_named_with_its_numbers_and_cured(model, cause, words):
    before = copy.deepcopy(model)
    found = why_stuck(model, X, LABELS)
    assert found.cause == cause and all(word in found.sentence for word in words), found.sentence
    assert found.loss == pytest.approx(CrossEntropyLoss()(model(X), LABELS))
    for parameter, same in zip(model.parameters(), before.parameters()):
        assert np.array_equal(parameter.data, same.data)
    cured = found.cured(model)
    changed = [values != parameter.data for values, parameter in zip(found.cure.values, model.parameters())]
    units = set(np.flatnonzero(changed[0].any(axis=0))) | set(np.flatnonzero(changed[1])) | \
        set(np.flatnonzero(changed[2].any(axis=1)))
    assert len(units) == 1 and not changed[3].any() and f"unit {units.pop()}" in found.cure.sentence
    lowest = stuck_starts.lowest_losses([values[np.newaxis] for values in found.cure.values],
                                        type(model.modules[1]), 2000)
    assert lowest[0] < found.loss - 0.05
    assert np.array_equal(cured.modules[0].W.data, found.cure.values[0])


def test_cures_free_stuck_starts_and_controls_seldom_do():
    runs = stuck_starts.stuck_runs(ReLU, 2, "scaffold", 60, 500)
    came_free = stuck_starts.freed(runs, ReLU, 400)
    assert len(runs) > 25 and {found.cause for _, found in runs} <= {"no unit bends", "same fold", "beyond every fold"}
    assert came_free["cure"].all() and came_free["control"].mean() < 0.6 and not came_free["as it is"].any()
    (values, found), rng = runs[0], np.random.default_rng(0)
    other = stuck_starts.control(values, found, rng)
    old = [parameter.data for parameter in values.parameters()]
    lengths = [sum(np.sum((a - b) ** 2) for a, b in zip(old, new)) for new in (other, found.cure.values)]
    assert lengths[0] == pytest.approx(lengths[1])
    assert not any(((a != b) & (a != c)).any() for a, b, c in zip(old, other, found.cure.values))


@pytest.mark.slow
def test_over_a_thousand_stuck_starts_each_has_a_cause_and_the_cure_beats_the_control():
    plateaus = np.array(list(PLATEAUS.values()))
    runs = [(model, found) for model, found in stuck_starts.stuck_runs(ReLU, 2, "scaffold", 1700, 2000)
            if np.abs(found.loss - plateaus).min() < 0.01]  # one in a thousand is on its way still
    causes = [found.cause for _, found in runs]
    came_free = stuck_starts.freed(runs, ReLU, 1000)
    assert len(runs) >= 1000 and "none found" not in causes
    for cause in set(causes):
        mine = np.array(causes) == cause
        assert came_free["cure"][mine].mean() > 0.95 > 0.6 > came_free["control"][mine].mean(), cause


def test_what_is_not_stuck():
    solved = network([[1, -1], [-1, 1]], [0, 0], [[-9, 9], [-9, 9]], [4, -4])
    assert why_stuck(solved, X, LABELS) is None
    assert why_stuck(solved.astype(np.float32), X.astype(np.float32), LABELS.astype(np.float32)) is None
    unfinished = network([[1, -1], [-1, 1]], [0, 0], [[-1, 1], [-1, -1]], [.4, -.4])
    found = why_stuck(unfinished, X, LABELS)
    assert found.cause == "none found" and "units bend within the data" in found.sentence


@pytest.mark.parametrize("classes", [[0, 1, 1, 1], [0, 0, 0, 1], [1, 0, 1, 1], [0, 0, 1, 1]])
def test_what_a_linear_function_learns_is_not_stuck_for_want_of_a_bend(classes):
    labels = np.eye(2)[classes]
    off = network([[1, -1], [1, -1]], [1, -1], ZEROS, [0, 0])
    for model in (LINEAR, off, Sequential(Linear(2, 2)), network([[1, 1], [1, -1]], [1, 3], ZEROS, [0, 0], Tanh)):
        found = why_stuck(model, X, labels)
        assert found.cause == "none found" and "train it on" in found.sentence, found.sentence
    assert why_stuck(ALL_OFF, X, labels).cause == "a unit is off"  # through this one, no gradient gets


def test_what_noise_lets_a_linear_function_gain_does_not_count(rng):
    data = np.repeat(X, 25, axis=0) + 0.15 * rng.standard_normal((100, 2))
    assert why_stuck(network([[1, 2], [1, 1]], [2, 3], ZEROS, [0, 0]), data, np.repeat(LABELS, 25, axis=0)).cause == \
        "no unit bends"
    square = data[:, :1] ** 2 + data[:, 1:] ** 2  # that, a line fits much better than no line
    model = network([[1, 2], [1, 1]], [2, 3], ZEROS, [0, 0])
    assert why_stuck(model, data, np.hstack([square, -square])).cause == "none found"


def test_a_network_that_is_linear_everywhere_has_no_cure_among_its_units():
    for layers in ((Linear(2, 2),), (Linear(2, 3), Linear(3, 2)), (Linear(2, 3), Identity(), Linear(3, 2))):
        model = Sequential(*layers)
        for parameter in model.parameters():
            parameter.data = np.zeros_like(parameter.data)
        found = why_stuck(model, X, LABELS)
        assert found.cause == "no hidden units" and found.cure is None and "it is linear" in found.sentence
    other = why_stuck(Sequential(Linear(2, 3), Softmax(), Linear(3, 2)), X, LABELS)  # not linear, but not understood
    assert other.cause == "none found" and "is linear" not in other.sentence


@pytest.mark.parametrize("W1, b1", [([[50, 50], [50, -50]], [40, 60]), ([[50, 0], [0, 50]], [-25, -25])])
def test_units_that_saturate_are_called_so_and_their_output_the_same_only_where_it_is(W1, b1):
    for activation in (Sigmoid, Tanh):
        found = why_stuck(network(W1, b1, ZEROS, [0, 0], activation), X, LABELS)
        assert found.cause == "saturated" and "same everywhere" not in found.sentence, found.sentence
    assert "same everywhere" in why_stuck(ALL_OFF, X, LABELS).sentence
    leaky = why_stuck(network([[-1, -2], [-1, -1]], [-1, 0], ZEROS, [0, 0], LeakyReLU), X, LABELS)
    assert "same everywhere" not in leaky.sentence


def test_labels_that_contradict_each_other_are_no_fault_of_the_network():
    model, data = network([[1, 2], [1, -1]], [1, 3], ZEROS, [0, 0]), np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    found = why_stuck(model, data, np.eye(2)[[0, 1, 0, 1]])
    assert found.cause == "contradicting labels" and found.cure is None
    assert "gives (0, 0) and (1, 1) more than one label" in found.sentence and "train it on" not in found.sentence
    early = why_stuck(model, data, np.eye(2)[[0, 1, 0, 0]])
    assert early.cause == "none found" and "train it on" in early.sentence


def test_predictions_are_those_of_the_loss():
    scores = network([[1, 0], [0, 1]], [0, 0], [[1, 0], [0, 1]], [0, 0])
    found = why_stuck(scores, np.zeros((4, 2)) + 0.25, LABELS, MeanSquaredError())
    assert "predicted as 0.25, 0.25" in found.sentence  # no softmax where the loss has none
    soft = why_stuck(scores, np.zeros((4, 2)) + 0.25, np.where(LABELS > 0, .9, .1), CrossEntropyLoss())
    assert "predicted as 0.50, 0.50" in soft.sentence  # and one where it has, whatever the labels
    numbers = np.array([[5, 1], [6, 2], [7, 3], [9, 4.]])  # two numbers a row aren't two classes
    found = why_stuck(scores, X, numbers)
    assert found is not None and found.loss == pytest.approx(np.mean((scores(X) - numbers) ** 2))
    many = why_stuck(scores, np.full((200, 2), .25), np.eye(2)[np.arange(200) % 2])
    assert "= ln 2" in many.sentence
    third = why_stuck(scores, X, np.full((4, 2), np.sqrt(np.log(2))))  # a mean squared error near ln 2 means nothing
    assert "ln 2" not in third.sentence


def test_other_networks_and_data(rng):
    deep = Sequential(Linear(3, 4), Tanh(), Linear(4, 3), ReLU(), Linear(3, 1))
    deep.modules[2].b.data[:] = -50
    data, numbers = rng.standard_normal((50, 3)), rng.standard_normal((50, 1))
    found = why_stuck(deep, data, numbers, MeanSquaredError())
    assert found.cause == "a unit is off" and "unit 0 of layer 2" in found.sentence and "50 points" in found.sentence
    wide = Sequential(Linear(20, 100), LeakyReLU(), Linear(100, 5))
    found = why_stuck(wide, rng.standard_normal((200, 20)), np.eye(5)[rng.integers(0, 5, 200)])
    assert len(found.sentence) < 1000
    assert "no hidden units" in why_stuck(Sequential(Linear(2, 2)), X, LABELS).sentence
    assert "aren't finite" in why_stuck(network([[np.nan, 1], [1, 1]], [0, 0], ZEROS, [0, 0]), X, LABELS).sentence
    assert why_stuck(LINEAR, X[1:2], LABELS[1:2]).cause == "none found"  # one point is learnt without any bend
    for wrong in (y, LABELS[:, :1], LABELS[:3]):
        with pytest.raises(ValueError, match="labels in the shape of the predictions"):
            why_stuck(LINEAR, X, wrong)
    with pytest.raises(ValueError, match="complex"):
        why_stuck(LINEAR, X + 1j, LABELS)
    with pytest.raises(ValueError, match="at least one example"):
        why_stuck(LINEAR, X[:0], LABELS[:0])
    with pytest.raises(ValueError, match="no cure"):
        why_stuck(Sequential(Linear(2, 2)), X, LABELS).cured(LINEAR)


def test_confused_points_have_one_prediction_and_different_labels():
    predicted = np.array([[.5, .5], [.51, .49], [.9, .1], [.5, .5], [.9, .1]])
    assert confused_points(predicted, np.eye(2)[[0, 1, 0, 1, 0]]) == [[0, 1, 3]]
    assert confused_points(predicted, np.eye(2)[[0, 0, 1, 0, 0]]) == [[2, 4]]
    assert confused_points(np.full((50, 1), .3), np.linspace(0, 1, 50).reshape(-1, 1)) == [list(range(50))]
    few = np.linspace(0, 1, 100).reshape(-1, 1)
    assert confused_points(few, (few > 0.5).astype(float)) == []


def test_the_xor_script_says_it_and_a_release_without_it_asks(monkeypatch):
    model = copy.deepcopy(LINEAR)
    losses = [0.7, np.log(2)]
    said = descent.training_in_words(losses, 1.0, 2, model, X, LABELS)
    assert any(line.startswith("A plateau. No hidden unit bends") for line in said) and said[-1].startswith("Cure: ")
    early = copy.deepcopy(LINEAR)
    said_early = descent.training_in_words(losses, 1.0, 2, early, X, np.eye(2)[[0, 1, 1, 1]])
    assert "plateau is to be seen" in said_early[-1] and "A plateau." not in " ".join(said_early)  # nor a cure
    assert "(0, 0), (0, 1)" in descent.training_in_words(losses, 1.0, 0, model, X, LABELS)[1]  # right by a hair
    monkeypatch.setitem(__import__("sys").modules, "lib.inspection.stuck", None)
    assert len(descent.training_in_words(losses, 1.0, 0, model, X, LABELS)) == 1
    assert "Which hidden units are zero" in descent.training_in_words(losses, 1.0, 2, model, X, LABELS)[-1]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
