"""Whole wrong solutions of the main sheet: the checker finds the wrong module and says what a tutor would say."""
import re
import warnings

import numpy as np
import pytest

from lib.gradient_checking.discovery import examples_of
from tests.mutants.student_solutions import SUBMISSIONS, Submission


def first_explanation(cls):
    """Return whether the checker accepts a module, and the first of its explanations.

    Only the first example is checked: a solution of the sheet needs no answer to a Linear without a bias.
    """
    from lib.gradient_checking import check_module
    for module, inputs in examples_of(cls, np.random.default_rng(0))[:1]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a module with one wrong gradient, others may be undecidable
            report = check_module(module, inputs)
        if not report.ok or report.remarks:
            cause = report.first_cause
            return False, f"{cause.sentence} {cause.evidence}" if cause else str(report)
    return True, ""


def test_the_right_solution_passes():
    for name, cls in Submission.modules().items():
        assert first_explanation(cls) == (True, ""), name


def test_there_are_at_least_twenty():
    assert len(SUBMISSIONS) >= 20
    assert all(submission.wrong for submission in SUBMISSIONS)


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda submission: submission.__name__)
def test_explained(submission):
    for name, cls in submission.modules().items():
        if name in submission.wrong:
            ok, explanation = first_explanation(cls)
            assert not ok, f"{name} is wrong, but was accepted"
            assert re.search(submission.wrong[name], explanation), f"{name}: {explanation}"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
