"""The answer checker: each typical slip is found where it was made, named, and not held against later lines."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.activations import ReLU, Sigmoid
from lib.graph import constant, expanded, parameter_node, relu, sigmoid, softmax, topological_order, variable
from lib.graph.answers import check_answers
from lib.graph.answers.compare import as_given, is_close
from lib.graph.draw import draw
from lib.graph.explain import explain
from exercises.pen_and_paper import expression_a, expression_b, skip_network, ticket_network
from lib.layers.losses import L1Loss, MeanSquaredError
from lib.layers.normalization import BatchNorm1d
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.regularizers import Dropout
from lib.validation import InputError

RIGHT = {"z0": 0.5, "h0": 0.5, "h1": 0.25, "y_hat": 0.375, "L": 3.375, "dL/dy_hat": 1, "dL/dws": 0.5, "dL/dw2": 0.25,
         "dL/dh1": 0.5, "dL/dw1": 0.25, "dL/dh0": 0.75, "dL/dw0": 0.75, "new w0": -0.25, "new w1": 0.25, "new ws": 0,
         "new L": 3}


def check(loss=None, **answers):
    return check_answers(skip_network() if loss is None else loss, answers, learning_rate=1)


def batch_loss():
    rng = np.random.default_rng(0)
    return ticket_network(rng.normal(size=(5, 2)), rng.normal(size=(5, 1)), rng.normal(size=(2, 3)), rng.normal(size=3),
                          rng.normal(size=(3, 1)), rng.normal(size=1))


def test_right_answers_are_right_in_any_order():
    report = check_answers(skip_network(), dict(reversed(list(RIGHT.items()))), learning_rate=1)
    assert report.all_right and report and report.first_wrong is None
    assert str(report).endswith("All 16 lines are right.")
    assert [line.name for line in report.lines][:5] == ["z0", "h0", "h1", "y_hat", "L"]  # in the order of computation


def test_a_forgotten_path_is_named_and_later_lines_follow():
    report = check_answers(skip_network(), dict(RIGHT, **{"dL/dh0": 0.5, "dL/dw0": 0.5, "new w0": 0.0}), 1)
    assert report.names("wrong") == ["dL/dh0"] and report.first_wrong.name == "dL/dh0"
    assert report.names("follows") == ["dL/dw0", "new w0"]
    assert "only the part through t2" in report["dL/dh0"].message and "0.25" in report["dL/dh0"].message
    assert report["dL/dw0"].message == "dL/dh0"


def test_an_error_in_the_forward_pass_is_followed_through_to_the_new_loss():
    wrong = {"h0": 1.0, "h1": 0.5, "y_hat": 0.75, "L": 3.75, "dL/dws": 1.0, "dL/dw2": 0.5, "dL/dw1": 0.5,
             "new ws": -0.5, "dL/dw0": 0.75}
    report = check_answers(skip_network(), wrong, learning_rate=1)
    assert report.names("wrong") == ["h0"]
    assert report.names("right") == ["dL/dw0"]  # relu passes the error on with the same factor
    assert set(report.names("follows")) == set(wrong) - {"h0", "dL/dw0"}


def test_a_second_error_is_an_error_of_its_own():
    report = check(**{"h0": 1.0, "h1": 0.5, "y_hat": 0.9, "L": 3.9})
    assert report.names("wrong") == ["h0", "y_hat"] and report.names("follows") == ["h1", "L"]
    assert "doesn't follow from h0 either" in report["y_hat"].message
    assert report["L"].message == "y_hat"


@pytest.mark.parametrize("name,answer,message", [
    ("dL/dy_hat", -1, "The sign is wrong."),
    ("y_hat", 0.03125, "That is t1 * t2; t1 + t2 is asked for."),
    ("z0", 1.5, "That is w0 + x; w0 * x is asked for."),
    ("h0", 1.0, "There is a factor of 2 too many."),
    ("dL/dws", 1.0, "That is dL/dt2; the factor dt2/dws = 0.5 is missing."),
    ("dL/dh0", 0.125, "must be added"),
    ("new w0", 1.25, "against the gradient"),
    ("new ws", 0.5, "That is the old ws"),
    ("t3", 3.375, "The sign is wrong."),
])
def test_typical_slips_are_recognised(name, answer, message):
    said = check(**{name: answer})[name].message
    assert message in said


def test_a_missing_learning_rate_is_recognised():
    report = check_answers(skip_network(), {"new w0": -0.25}, learning_rate=0.1)
    assert "learning rate is missing" in report["new w0"].message


def test_the_missing_division_of_a_mean_is_recognised():
    loss = batch_loss()
    correct = explain(loss).derivation
    gradient = correct.gradients[correct.node("W2")]
    report = check_answers(loss, {"dL/dW2": gradient * 5})
    assert "division by 5, the number of entries of the mean L" in report["dL/dW2"].message


def test_arrays_are_compared_entry_by_entry():
    loss = batch_loss()
    derivation = explain(loss).derivation
    h = derivation.node("h").value
    gradients = {name: np.array(derivation.gradients[derivation.node(name)]) for name in ("W1", "b1", "z1")}
    assert check_answers(loss, {"h": h, "dL/dW1": gradients["W1"].tolist()}).all_right
    changed = gradients["W1"].copy()
    changed[1, 2] += 1
    assert "Entry [1, 2] is " in check_answers(loss, {"dL/dW1": changed})["dL/dW1"].message
    assert "transposed" in check_answers(loss, {"dL/dW1": gradients["W1"].T})["dL/dW1"].message
    assert "sum over the first axis" in check_answers(loss, {"dL/db1": gradients["z1"]})["dL/db1"].message
    assert "Its shape is (2,), but should be (3,)." in check_answers(loss, {"dL/db1": [1, 2]})["dL/db1"].message


def test_rounded_answers_are_right_but_not_too_coarse_ones():
    loss = expression_a(1.0, 2.0)  # dA/dt5 = 1.9221..., dA/dt4 = 0.640705
    assert check_answers(loss, {"dA/dt5": 1.92, "dA/dt4": 0.641}).all_right
    assert check_answers(loss, {"dA/dt4": "0.64"}).all_right
    coarse = check_answers(loss, {"dA/dt4": 0.6})
    assert coarse.names("wrong") == ["dA/dt4"] and "rounded too coarsely" in coarse["dA/dt4"].message
    assert not check_answers(loss, {"dA/dt5": 1.94}).all_right
    assert check(**{"L": 3}).names("wrong") == ["L"]


def test_an_error_carried_on_with_rounding_still_follows():
    loss = expression_b()
    report = check_answers(loss, {"t5": 0.954, "t6": 3.95, "B": 4.51})  # log to base 10
    assert report.names("wrong") == ["t5"] and report.names("follows") == ["t6", "B"]


def test_names_may_be_written_in_several_ways():
    report = check_answers(skip_network(), {"dL / dw0": 0.75, "w1.grad": 0.25, "loss": "27/8", "w2_new": 0.25,
                                            "new loss": 3.0, "dh0/dz0": 1, "dL/d(ws)": 0.5}, learning_rate=1)
    assert report.all_right
    unnamed = (variable(2.0, name="x") ** 2)
    assert check_answers(unnamed, {"t1": 4, "dL/dx": 4, "dt1/dx": 4}).all_right


def test_an_explanation_can_be_given_instead_of_its_graph():
    assert check_answers(explain(skip_network()), {"t1": 0.125}).all_right


def test_the_report_can_be_shown():
    report = check(**{"h0": 1.0, "h1": 0.5, "z0": 0.5})
    assert "h0 = 1: WRONG, the first wrong line; it should be 0.5." in str(report)
    assert "h1 = 0.5: follows from h0: right for what stands there, though it should be 0.25." in str(report)
    assert report.summary() == "1 of 3 lines is right, 1 is wrong, 1 follows."
    assert "| h1 | 0.5 | follows: h0 |" in report.markdown() == report._repr_markdown_()


def test_nothing_in_the_graph_is_changed():
    loss = skip_network()
    check(loss, **{"h0": 1.0, "dL/dw0": 7.0})
    assert float(loss.value) == 3.375 and loss.grad is None


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(RIGHT)), st.floats(0.2, 3.0))
def test_one_changed_answer_is_the_only_wrong_line(name, change):
    """Whatever is changed in correct answers to values: that line is wrong, and no line is blamed for another's."""
    report = check_answers(skip_network(), {name: RIGHT[name] + change}, learning_rate=1)
    assert report.names("wrong") == [name]


def test_mistakes_are_answered_with_sentences():
    loss = skip_network()
    with pytest.raises(InputError, match=r"no quantity called 'dL/dw7'.*Did you mean dL/dw"):
        check_answers(loss, {"dL/dw7": 1})
    with pytest.raises(InputError, match="give them one"):
        check_answers(variable(1.0) * 2.0, {"dL/dw": 1})
    with pytest.raises(InputError, match="must be a number"):
        check_answers(loss, {"h0": "a half"})
    for no_number in (None, True, "5*101", "0.37 or 0.38"):
        with pytest.raises(InputError, match="must be a number"):
            check_answers(loss, {"h0": no_number})
    with pytest.raises(InputError, match="There is no dL/dy: y is a constant"):
        check_answers(loss, {"dL/dy": 1})
    for huge in ("9" * 400 + "/3", "3/0"):
        with pytest.raises(InputError, match="must be a number"):
            check_answers(loss, {"h0": huge})
    assert "no number (nan or inf)" in check_answers(loss, {"h0": "1e400"})["h0"].message
    for nothing in ({}, "dL/dw0 = 0.75", [0.75]):
        with pytest.raises(InputError, match="no answer to check"):
            check_answers(loss, nothing)
    with pytest.raises(InputError, match="learning rate must be known"):
        check_answers(loss, {"new w0": 1})
    with pytest.raises(InputError, match="single number"):
        check_answers(relu(variable([1.0, 2.0], name="x")), {"dL/dx": [1, 1]})
    with pytest.raises(InputError, match="A node of a computational graph"):
        check_answers(3.0, {"x": 1})
    assert "no number" in check(**{"h0": float("nan")})["h0"].message


def test_values_of_a_vector_can_be_checked_without_gradients():
    assert check_answers(relu(variable([1.0, -2.0], name="x")).named("h"), {"h": [1, 0]}).all_right
    assert check_answers(constant(2.0, name="c") * 3.0, {"t1": 6}).all_right


def test_comparison_by_rounding():
    def close(answer, correct):
        return is_close(as_given("", answer), correct).close

    for answer, correct in [(0.33, 1 / 3), ("1/3", 1 / 3), ([0.5], 0.5), (0.378, 0.3775), (0.377, 0.3775), (152, 152.4),
                            (12300, 12345), (0.13, 0.1257), ("0,378", 0.3775), ("\N{MINUS SIGN}0.50", -0.5), (10, 9.96),
                            ("1.26e-1", 0.1257), ("1.26\N{MIDDLE DOT}10^-1", 0.1257), (0.30, 0.2998),
                            ([0.004, 1.234], [0.0041, 1.2338]), (np.float32(-0.378), -0.3775), ("= 12.6e-2", 0.1257),
                            (np.array([0.13, -2.4], np.float32), [0.1257, -2.3999]),
                            ("\N{ALMOST EQUAL TO}0.126", 0.1257),
                            ("1,26 x 10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ONE}", 0.1257), ("3*10**2", 304)]:
        assert close(answer, correct), (answer, correct)
    for answer, correct in [(0.34, 1 / 3), (0.379, 0.3775), (153, 152.4), (12400, 12345), (0.12, 0.1257), (10, 9.6),
                            (0.3, 1 / 3), (0.1, 0.0951), (0, 0.0003), ("1/3", 0.33333)]:
        assert not close(answer, correct), (answer, correct)


def rounded(number, digits):
    return float(f"{number:.{digits}g}")


class TwoByTwo:
    """A network of 2-2-2 sigmoid units, and a calculation of it by hand with so many digits."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        names = ["w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "b1", "b2"]
        self.numbers = {name: round(rng.uniform(-1, 1), 2) for name in names}
        self.numbers.update(i1=round(rng.uniform(0.1, 1), 2), i2=round(rng.uniform(0.1, 1), 2), t1=0.01, t2=0.99)
        v = {name: (variable if name in names else constant)(value, name=name) for name, value in self.numbers.items()}
        h1 = sigmoid(v["w1"] * v["i1"] + v["w2"] * v["i2"] + v["b1"]).named("h1")
        h2 = sigmoid(v["w3"] * v["i1"] + v["w4"] * v["i2"] + v["b1"]).named("h2")
        o1 = sigmoid(v["w5"] * h1 + v["w6"] * h2 + v["b2"]).named("o1")
        o2 = sigmoid(v["w7"] * h1 + v["w8"] * h2 + v["b2"]).named("o2")
        self.loss = (0.5 * (v["t1"] - o1) ** 2 + 0.5 * (v["t2"] - o2) ** 2).named("L")

    def by_hand(self, digits, slip=""):
        """Return all lines, each computed from the rounded ones before; with a slip in one of them."""
        p = self.numbers

        def r(number):
            return rounded(number, digits)

        def unit(a, x, b, y, c):
            return r(1 / (1 + np.exp(-r(r(a * x) + r(b * y) + c))))

        h1, h2 = unit(p["w1"], p["i1"], p["w2"], p["i2"], p["b1"]), unit(p["w3"], p["i1"], p["w4"], p["i2"], p["b1"])
        o1, o2 = unit(p["w5"], h1, p["w6"], h2, p["b2"]), unit(p["w7"], h1, p["w8"], h2, p["b2"])
        lines = {"h1": h1, "h2": h2, "o1": o1, "o2": o2,
                 "L": r(r(0.5 * r(r(p["t1"] - o1) ** 2)) + r(0.5 * r(r(p["t2"] - o2) ** 2)))}
        d1, d2 = (r(r(r(o - p[t]) * o) * r(1 - o)) for o, t in ((o1, "t1"), (o2, "t2")))
        lines["dL/dw5"] = r(r(o1 - p["t1"]) * h1) if slip == "dL/dw5" else r(d1 * h1)
        lines.update({"dL/dw6": r(d1 * h2), "dL/dw7": r(d2 * h1), "dL/dw8": r(d2 * h2), "dL/db2": r(d1 + d2)})
        w5 = p["w5"] - 0.5 * d1 * h1 if slip == "dL/dh1" else p["w5"]
        w7 = p["w7"] - 0.5 * d2 * h1 if slip == "dL/dh1" else p["w7"]
        g1, g2 = r(r(d1 * w5) + r(d2 * w7)), r(r(d1 * p["w6"]) + r(d2 * p["w8"]))
        lines.update({"dL/dh1": g1, "dL/dh2": g2})
        e1, e2 = r(g1 * r(h1 * r(1 - h1))), r(g2 * r(h2 * r(1 - h2)))
        wrong = r(g1 * r(o1 * r(1 - o1)))
        lines["dL/dw1"] = r((wrong if slip == "dL/dw1" else e1) * p["i1"])
        lines.update({"dL/dw2": r(e1 * p["i2"]), "dL/dw3": r(e2 * p["i1"]), "dL/dw4": r(e2 * p["i2"]),
                      "dL/db1": r(e1 + e2)})
        return lines


@pytest.mark.parametrize("seed", list(range(2)) + [pytest.param(k, marks=pytest.mark.slow) for k in range(2, 20)])
def test_no_faultless_calculation_is_refused(seed):
    """At two to five digits, whichever lines are written down."""
    network, rng = TwoByTwo(seed), np.random.default_rng(seed)
    for digits in (2, 3, 4, 5):
        lines = network.by_hand(digits)
        for names in (list(lines), [name for name in lines if rng.random() < 0.4] or ["L"],
                      [name for name in lines if name.startswith("dL/dw")]):
            report = check_answers(network.loss, {name: lines[name] for name in names}, learning_rate=0.5)
            assert report.all_right, f"{digits} digits:\n{report}"


def batch_by_hand(seed, r, slip=""):
    """Return a softmax regression and a tanh network on three examples, and the lines of both, each rounded by r."""
    rng = np.random.default_rng(seed)
    x, y, t = rng.normal(size=(3, 2)).round(1), np.eye(3)[rng.permutation(3)], rng.normal(size=(3, 1)).round(1)
    W, V1, V2 = (rng.normal(size=shape).round(2) for shape in ((2, 3), (2, 4), (4, 1)))
    p = softmax((constant(x) @ variable(W, name="W")).named("z")).named("p")
    h = np.tanh(constant(x) @ variable(V1, name="V1")).named("h")
    o = (h @ variable(V2, name="V2")).named("o")
    losses = (-(constant(y) * np.log(p)).sum() / 3).named("L"), ((o - constant(t)) ** 2).mean().named("L")
    z = r(x @ W)
    powers = r(np.exp(z))
    p = r(powers / powers.sum(axis=1, keepdims=True))
    g = r((p - y) / 3)
    h = r(np.tanh(r(x @ V1)))
    o = r(h @ V2)
    e = r(o - t if slip == "dL/do" else 2 * (o - t) / 3)
    gh = r(e @ V2.T)
    gz = gh if slip == "dL/dV1" else r(gh * r(1 - r(h * h)))
    return zip(losses, ({"z": z, "p": p, "dL/dz": g, "dL/dW": r(x.T @ g)},
                        {"h": h, "o": o, "dL/do": e, "dL/dV2": r(h.T @ e), "dL/dh": gh, "dL/dV1": r(x.T @ gz)}))


@pytest.mark.parametrize("r", [
    lambda a: np.round(a, 3), lambda a: np.round(a, 4).astype(np.float32), lambda a: np.vectorize(rounded)(a, 3)],
    ids=["three decimals", "float32", "three digits"])
@pytest.mark.parametrize("seed", range(2))
def test_no_faultless_batch_is_refused(seed, r):
    for loss, lines in batch_by_hand(seed, r):
        assert check_answers(loss, lines).all_right, check_answers(loss, lines)
        del lines["dL/dz" if "dL/dz" in lines else "dL/dh"]
        assert check_answers(loss, lines).all_right, check_answers(loss, lines)


def test_no_faultless_calculation_of_a_network_of_modules_is_refused():
    rng = np.random.default_rng(0)
    model, x, y = Sequential(Linear(2, 3), Sigmoid(), Linear(3, 2)), rng.normal(size=(3, 2)).round(1), np.eye(3)[:, :2]
    for parameter in model.parameters():
        parameter.data = rng.normal(size=parameter.data.shape).round(2)
    W1, b1, W2, b2 = (parameter.data for parameter in model.parameters())
    h = (1 / (1 + np.exp(-(x @ W1 + b1).round(3)))).round(3)
    e = (((h @ W2 + b2).round(3) - y) / 3).round(3)
    g = ((e @ W2.T).round(3) * (h * (1 - h)).round(3)).round(3)
    loss = MSELoss()(model(constant(x, name="x")), constant(y, name="y")).named("L")
    lines = {"dL/dW2": (h.T @ e).round(3), "dL/db2": e.sum(0).round(3), "dL/dW1": (x.T @ g).round(3)}
    for graph in (loss, explain(loss)):
        assert check_answers(graph, lines).all_right, check_answers(graph, lines)
    assert "t2 = x @ W1 + b1" in str(explain(loss)) and check_answers(loss, {"t2": (x @ W1 + b1).round(3)}).all_right


@pytest.mark.parametrize("slip", ["dL/do", "dL/dV1"])
def test_a_wrong_line_of_a_batch_is_found(slip):
    _, (loss, lines) = batch_by_hand(0, lambda a: np.round(a, 3), slip)
    assert check_answers(loss, lines).names("wrong") == [slip]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name, sentence", [
    ("dL/dw5", "The derivative of o1 is missing."), ("dL/dh1", "The weights were already updated"),
    ("dL/dw1", "The derivative of sigmoid is that of o1, not of h1.")])
def test_a_wrong_line_is_found_or_it_is_said_that_rounding_hides_it(seed, name, sentence):
    network = TwoByTwo(seed)
    line = check_answers(network.loss, network.by_hand(4, slip=name), learning_rate=0.5)[name]
    assert line.status == "wrong" and sentence in line.message or "so few digits" in line.message


@pytest.mark.parametrize("f, name, answer", [
    (lambda x, w: x / w, "dL/dw", "-0.2642"),  # 1.39 / 5.262: w ** 2 = 5.26244 was rounded; with all digits -0.26414
    (lambda x, w: x / w, "dL/dw", "-0.2641"),
    (lambda x, w: 7.3 * np.tanh(w + 0.606).named("h"), "dL/dw", "0.0876"),  # 7.3 (1 - 0.9880); with all digits 0.0873
])
def test_a_derivative_may_be_computed_in_steps(f, name, answer):
    x, w = variable(1.39, name="x"), variable(2.294, name="w")
    loss = f(x, w).named("L")
    digits = {node.name: f"{node.item():.4g}" for node in topological_order(loss) if node.name and node.operation}
    assert check_answers(loss, dict(digits, **{name: answer})).all_right
    assert not check_answers(loss, dict(digits, **{name: str(float(answer) * 1.01)})).all_right


def test_the_result_may_be_left_out_of_its_derivative():
    """x / w by w is -x / w ** 2 = -2.103 / 1.97 ** 2, though -z / w = -1.068 / 1.97 has the rounded quotient."""
    x, w = variable(2.103, name="x"), variable(1.97, name="w")
    for answer in ("-0.5419", "-0.5421"):
        assert check_answers((x / w).named("z"), {"z": "1.068", "dz/dw": answer}).all_right


def test_two_names_of_one_expression_stay_two_lines():
    w = variable(2.0, name="w")
    one, other = (w * 3).named("one"), (w * 3).named("other")
    report = check_answers((one * other + one).named("L"), {"one": 6, "other": 6, "dL/done": 7, "dL/dother": 6})
    assert report.all_right and "other = w * 3" in str(explain((one * other + one).named("L")))


def test_an_exact_half_on_the_way_may_be_rounded_up_or_down():
    h = np.tanh((variable(0.545, name="w") * constant(1.0, name="x")).named("z")).named("h")
    for answer in ("0.49", "0.50"):  # of 0.54 and of 0.55, with two digits
        assert check_answers(h * 1.0, {"h": answer}).all_right
    assert not check_answers(h * 1.0, {"h": "0.48"}).all_right


def test_the_deltas_of_the_short_form_can_be_checked():
    network = TwoByTwo(0)
    derivation = explain(network.loss).derivation
    o1 = float(derivation.node("o1").value)
    delta = (o1 - 0.01) * o1 * (1 - o1)
    assert check_answers(network.loss, {"delta_o1": delta}).all_right
    assert check_answers(network.loss, {"\N{GREEK SMALL LETTER DELTA}o1": round(delta, 4)}).all_right
    assert "division" not in check_answers(network.loss, {"delta_o1": -delta})["delta_o1"].message


def test_a_slip_that_rounding_hides_is_said():
    x, w = variable(0.999, name="x"), variable(0.5, name="w")
    line = check_answers(((w * x).named("z") ** 2).named("L"), {"dL/dw": 1.0})["dL/dw"]
    assert line.status == "right" and "with so few digits it can't be told from a slip" in line.message


def test_one_over_n_is_missed_in_the_librarys_losses():
    x = constant(np.arange(8.0).reshape(4, 2), name="x")
    W, b = variable(np.array([[0.5], [0.25]]), name="W"), variable(np.array([0.1]), name="b")
    y = np.ones((4, 1))
    for expand in (False, True):
        for loss_class, number in ((MSELoss, "4"), (MeanSquaredError, "4"), (L1Loss, "4")):
            with expanded(expand):
                loss = loss_class()((x @ W + b).named("y_hat"), constant(y, name="y")).named("L")
            gradient = explain(loss).derivation.gradients
            node = next(node for node in gradient if node.name == "W")
            line = check_answers(loss, {"dL/dW": gradient[node] * 4})["dL/dW"]
            assert f"The division by {number}" in line.message, (loss_class, expand, line.message)


def test_derivatives_between_named_nodes_with_unnamed_ones_between():
    x, w, b = variable(0.5, name="x"), variable(2.0, name="w"), variable(0.1, name="b")
    h = sigmoid(w * x + b).named("h")
    loss = ((h * 3 - 1) ** 2).named("L")
    slope = float(h.value) * (1 - float(h.value))
    assert check_answers(loss, {"dh/dx": slope * 2, "dh/dw": slope * 0.5, "dL/dh": 2 * (3 * float(h.value) - 1) * 3,
                                "\N{PARTIAL DIFFERENTIAL}L/\N{PARTIAL DIFFERENTIAL}b":
                                2 * (3 * float(h.value) - 1) * 3 * slope}).all_right
    without = check_answers(loss, {"dL/db": 2 * (3 * float(h.value) - 1) * 3})["dL/db"]
    assert "derivative of h is missing" in without.message


def test_nothing_that_reads_a_graph_changes_modules_or_random_states():
    """Explaining, checking and drawing leave values, gradients, modules, random numbers as they were, bit for bit."""
    np.random.seed(0)
    model = Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Dropout(0.5), Linear(4, 2))
    x = variable(np.random.normal(size=(6, 3)), name="x")
    loss = CrossEntropyLoss()(model(x), np.eye(2)[[0, 1] * 3]).named("L")

    def everything():
        attributes = [{key: value.tobytes() if isinstance(value, np.ndarray) else repr(value)
                       for key, value in vars(module).items()} for module in model.modules]
        return (np.random.get_state()[1].tobytes(), np.random.get_state()[2], attributes,
                [(parameter.data.tobytes(), parameter.grad.tobytes()) for parameter in model.parameters()],
                [(node.value.tobytes(), node.grad) for node in topological_order(loss)])

    before = everything()
    explanation = explain(loss, learning_rate=1.0)
    assert str(explanation) and explanation.markdown() and draw(loss).svg()
    report = check_answers(loss, {"L": 0.9, "dL/dW1": np.ones((3, 4)), "new W1": np.ones((3, 4)), "new L": 0.5,
                                  "t1": np.ones((6, 4))}, learning_rate=1.0)
    assert str(report) and everything() == before
    loss.backward()
    for parameter in model.parameters():
        node = explanation.derivation.node(parameter_node(parameter))
        np.testing.assert_array_equal(parameter.grad, explanation.derivation.gradients[node])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
