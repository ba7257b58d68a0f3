"""The backpropagation exercise: stacks of networks against single ones, plateaus, rises of the loss."""
import numpy as np
import pytest

from exercises.backpropagation import learning_rate, many_starts, pen_and_paper, plateaus, xor_networks, xor_questions
from lib.dataset import X
from lib.graph.answers import check_answers
from exercises.pen_and_paper import skip_network
from lib.losses import CrossEntropyLoss
from lib.network import Linear
from run_xor_experiment import train_on_xor

DEAD, LINEAR = [0, 0, 0, 0], [1, 1, 1, 1]


def pattern(*units):
    """Return the activity of one network, (1, 4, hidden), from a list of four numbers for each unit."""
    return np.array(units, dtype=bool).T[np.newaxis]


@pytest.mark.parametrize("initialization", xor_networks.INITIALIZATIONS)
def test_a_stack_is_its_networks(initialization):
    stack = xor_networks.create_stack(3, range(4), initialization)
    losses = xor_questions.compute_gradient(stack)
    stepped = xor_questions.moved(stack, -0.5)
    loss_fn = CrossEntropyLoss()
    for seed in range(4):
        np.random.seed(seed)
        model = xor_networks.create_model(3, initialization)
        assert losses[seed] == pytest.approx(loss_fn(model(X), xor_networks.LABELS))
        train_on_xor(model, loss_fn, xor_networks.LABELS, lr=0.5, epochs=1)
        for parameter, values in zip(model.parameters(), stepped.parameters()):
            np.testing.assert_allclose(values.data[seed], parameter.data, atol=1e-12)
    with pytest.raises(ValueError, match="There is no initialisation 'magic'"):
        xor_networks.create_model(2, "magic")


def test_a_stack_of_linear_layers_equals_each_one_alone(rng):
    runs, batch = 5, 4
    stack = xor_networks.LinearStack(rng.standard_normal((runs, 3, 2)), rng.standard_normal((runs, 2)))
    grad = rng.standard_normal((runs, batch, 2))
    for x in (rng.standard_normal((batch, 3)), rng.standard_normal((runs, batch, 3))):
        stack._zero_grad()
        z, grad_x = stack(x), stack.backward(grad)
        alone_grad_x = []
        for run in range(runs):
            alone = Linear(3, 2)
            alone.W.data, alone.b.data = stack.W.data[run], stack.b.data[run]
            np.testing.assert_allclose(alone(x if x.ndim == 2 else x[run]), z[run])
            alone_grad_x.append(alone.backward(grad[run]))
            np.testing.assert_allclose(alone.W.grad, stack.W.grad[run])
            np.testing.assert_allclose(alone.b.grad, stack.b.grad[run])
        expected = np.sum(alone_grad_x, axis=0) if x.ndim == 2 else np.array(alone_grad_x)
        np.testing.assert_allclose(grad_x, expected)


def test_kinds_of_units():
    kinds = xor_networks.unit_kinds(pattern(DEAD, [1, 0, 1, 0], LINEAR, [1, 0, 1, 0], LINEAR, [0, 0, 0, 1]))
    assert kinds.tolist() == [["dead", "bent", "linear", "duplicate", "linear", "bent"]]


@pytest.mark.parametrize("units, dark, plateau", [
    ([DEAD, DEAD], 4, "all points confused"), ([DEAD, [0, 0, 0, 1]], 3, "three points confused"),
    ([[1, 0, 1, 0], [1, 0, 0, 0]], 2, "two points confused"), ([[1, 0, 0, 0], [0, 0, 0, 1]], 2, "solved"),
    ([LINEAR, DEAD], 0, "solved")])
def test_the_loss_that_dark_points_leave(units, dark, plateau):
    points = xor_networks.dark_points(pattern(*units))
    assert points.sum() == dark
    assert xor_networks.loss_of_dark_points(points)[0] == pytest.approx(xor_networks.PLATEAUS[plateau])


def test_plateaus_of_real_runs_are_explained():
    run = many_starts.train_starts((2, "scaffold", 1.0, 60, 1000, 100))
    assert set(run["ends"]) >= {"solved", "two points confused", "all points confused"}
    assert "elsewhere" not in run["ends"]
    reasons = plateaus.why(xor_networks.as_stack(run["parameters"]), run["losses"][-1])
    for end, reason, linear in zip(run["ends"], reasons, run["linear"]):
        assert end == "solved" or reason in ("dark points", "linear")
        assert end == "all points confused" or not linear
    steps = learning_rate.steps_to_solve(run)
    assert np.isfinite(steps).sum() == run["ends"].count("solved")
    found = plateaus.cluster(np.array([0.3466, 0.6931, 0.001, 0.3467, 0.002]))
    assert [count for _, count in found] == [2, 2, 1]


def test_step_curvature_is_that_of_the_second_derivative():
    stack = xor_networks.create_stack(2, [5], "PyTorch's")  # with b = 0, (0, 0) is on a fold
    xor_questions.compute_gradient(stack)
    g = xor_questions.flat([parameter.grad for parameter in stack.parameters()])[0]
    t = 1e-4

    def loss(way):
        return xor_networks.losses_of(xor_questions.moved(stack, way)(X))[0]

    second = (loss(t) - 2 * loss(0) + loss(-t)) / t ** 2  # g^T H g
    lr = 1e-3  # a step so short that the curvature stays the same on it
    assert xor_questions.step_curvature(stack, lr)[0] == pytest.approx(lr * second / (g @ g), rel=0.02)


def test_every_rise_has_a_cause():
    for starts, lr, steps, switched in ((12, 1.0, 70, True), (4, 10.0, 40, False)):
        rises = xor_questions.follow(starts, lr, steps)["rises"]
        assert rises and all(rise["switched"] or rise["q"] > 2 for rise in rises)
        assert sum(rise["switched"] == switched for rise in rises) > len(rises) / 2


def test_pen_and_paper_answers_and_the_skip_connection():
    assert str(check_answers(skip_network(), pen_and_paper.YOUR_ANSWERS, 1)).endswith("All 20 lines are right.")
    assert pen_and_paper.gradients() == {"w0": 0.75, "w1": 0.25, "w2": 0.25, "ws": 0.5}
    rows = {situation: (with_skip, without) for situation, with_skip, without in pen_and_paper.with_and_without()}
    assert rows["unit 1 dead: w1 = -0.5"] == (0.5, 0) and rows["as in the task"] == (0.75, 0.25)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
