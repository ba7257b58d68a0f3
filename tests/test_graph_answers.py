"""The answer checker: each typical slip is found where it was made, named, and not held against later lines."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.graph import constant, relu, variable
from lib.graph.answers import check_answers
from lib.graph.answers.compare import as_given, is_close
from lib.graph.explain import explain
from exercises.pen_and_paper import expression_a, expression_b, skip_network, ticket_network
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


@settings(max_examples=40, deadline=None)
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
    with pytest.raises(InputError, match="must be a number"):
        check_answers(loss, {"h0": None})
    with pytest.raises(InputError, match="no answer to check"):
        check_answers(loss, {})
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
    assert is_close(as_given("", 0.33), 1 / 3, 1e-3).close
    assert not is_close(as_given("", 0.34), 1 / 3, 1e-3).close
    assert is_close(as_given("", "1/3"), 1 / 3, 1e-3).close
    assert is_close(as_given("", [0.5]), 0.5, 1e-3).close


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
