"""Slips of no list: a line's own formula with one thing wrong in it, named by what is wrong."""
from __future__ import annotations

import pytest

from grading.variants.check import check
from grading.variants.guesses import formulas, guesses
from grading.variants.task import CAUSES, compiled_rule
from tests.variant_cases import case as case_by_name, some_quick


def written(value):
    return f"{value:.3g}"


@pytest.mark.parametrize("name", some_quick())
def test_guesses_are_made_from_right_formulas(name):
    """A formula that is right, and many that are nearly so: none of them raises."""
    case = case_by_name(name)
    computed, used = case.machine.run(case.numbers)
    for line in case.machine.lines:
        for formula in formulas(case.machine, line):
            code, _ = compiled_rule(formula, case.machine.names)
            number = case.machine.guessed(code, line, computed, used)
            assert number == pytest.approx(case.key[line.name]), (line, formula)
        found = [case.machine.guessed(guess.code, line, computed, used) for guess in guesses(case.machine, line)]
        assert line.axis is not None or line.quantity[0] == "none" or len(found) > 5
        assert {guess.cause for guess in guesses(case.machine, line)} <= set(CAUSES)


@pytest.mark.slow
@pytest.mark.parametrize("name, line, wrong, cause", [
    ("network_tanh", "dL/dw22", "2 * (y1 - t1) * u21 + 2 * (y2 - t2) * u22", "local"),
    ("network_tanh", "dL/du21", "2 * (y1 - t1) * h1", "place"),
    ("network_tanh", "dL/dz2", "(2 * (y1 - t1) * u21 + 2 * (y2 - t2) * u22) * (1 - h2)", "local"),
    ("network_sigmoid", "z1", "w11 * x1 + w21 * x2 - b1", "sign"),
    ("network_sigmoid", "z1", "w11 * x1 + w21 * x2 + b2", "place"),
    ("network_sigmoid", "h1", "tanh(z1)", "function"),
    ("network_sigmoid", "y1", "u11 * x1 + u21 * x2 + c1", "place"),
    ("expression_c", "r1", "w1 + w0 * x1 - y1", "place"),
    ("expression_c", "dC/dr2", "2 * r2 ** 2", "local"),
    ("expression_c", "dC/dw1", "x1 + x2 + x3", "upstream"),
    ("jacobian", "f2", "sqrt(x2) + sqrt(q * x3)", "formula"),
    ("jacobian", "df1/dx2", "1", "formula"),
    ("linear_regression", "e4", "w * (x4 + b) - y4", "formula"),
    ("logistic_regression", "dL/dz3", "(p3 - y3) * p3 * (1 - p3) / 3", "local"),
    ("softmax_cross_entropy", "q2", "exp(u2) / S", "place"),
    ("mlp_regression", "dl/dW1[1,2]", "x[0] * dl/dz2[0]", "place"),
    ("adam_step", "m_hat", "m / beta1 ** t", "formula"),
    ("skip_chain", "new y_hat", "w2 * h1 + ws * h0", "place")])
def test_a_slip_of_no_list_is_named_by_what_is_wrong_in_the_formula(name, line, wrong, cause):
    for seed in range(3):
        case = case_by_name(name, seed)
        code, _ = compiled_rule(wrong, case.machine.names)
        number = case.machine.guessed(code, case.machine.line(line), *case.machine.run(case.numbers))
        given = {each: written(value) for each, value in case.key.items()}
        verdict = {each.line: each for each in check(case, {**given, line: written(number)}).verdicts}[line]
        if verdict.status == "wrong" and verdict.cause == cause:
            break  # in some draws another slip gives the same number
    assert (verdict.status, verdict.cause) == ("wrong", cause), (verdict, case.key[line])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
