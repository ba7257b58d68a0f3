"""The checker catches every wrong implementation of the bank, and names the cause of nearly all of them first."""
import os

import numpy as np
import pytest

from lib.gradient_checking.discovery import examples_of
from tests.mutants import BANK
from tests.mutants.causes import CAUSES
from tests.mutants.measure import SAME_CAUSE, count, count_all, names_the_cause, verdict_of
from tests.mutants.wild import WRONG
from tests.mutants.other_checkers import accepts, ones_central, ones_forward

SHARE_EXPLAINED = 0.9


SLOW_TO_CHECK = {"Conv2d", "MaxPool2d", "AvgPool2d", "Sequential", "SelfAttention", "MultiHeadSelfAttention"}


def one_for_each_cause():
    """Return the everyday share of the bank: for each cause the first mutant, if possible of a small module."""
    ordered = sorted(BANK, key=lambda mutant: mutant.module in SLOW_TO_CHECK)
    return list({mutant.cause: mutant for mutant in reversed(ordered)}.values())


def test_the_bank_is_large_and_broad():
    assert len(BANK) >= 110
    modules = {mutant.module for mutant in BANK}
    assert len(modules) >= 18
    assert {"ReLU", "Linear", "Sequential", "Residual", "CrossEntropyLoss", "MSELoss", "L1Loss"} <= modules
    assert len({str(mutant) for mutant in BANK}) == len(BANK), "two mutants have the same name"


def test_every_cause_occurs_and_has_a_name_in_the_checker():
    assert {mutant.cause for mutant in [*BANK, *WRONG]} == set(CAUSES) == set(SAME_CAUSE)


def test_one_for_each_cause_is_caught_and_explained():
    verdicts = [(mutant, verdict_of(*mutant.situation(np.random.default_rng(0)))) for mutant in one_for_each_cause()]
    missed = [str(mutant) for mutant, verdict in verdicts if not verdict.caught]
    assert not missed
    unexplained = [f"{mutant}: {mutant.cause!r}, not {verdict.cause!r}" for mutant, verdict in verdicts
                   if not names_the_cause(mutant, verdict.cause)]
    assert len(unexplained) <= (1 - SHARE_EXPLAINED) * len(verdicts), unexplained


@pytest.mark.slow
def test_all_are_caught_and_explained_on_twenty_starts():
    counts = count_all(starts=int(os.environ.get("MUTANT_STARTS", "20")))  # 20 take a quarter of an hour
    assert [str(found.mutant) for found in counts if found.caught < found.starts] == []
    explained = sum(found.explained for found in counts)
    assert explained >= SHARE_EXPLAINED * sum(found.starts for found in counts)


def test_a_count_tells_caught_from_explained():
    sign = next(mutant for mutant in BANK if mutant.name == "SigmoidSign")
    found = count(sign, starts=2)
    assert (found.caught, found.explained, found.said) == (2, 2, [])
    found = count(sign._replace(cause="transposed"), starts=2)
    assert (found.caught, found.explained) == (2, 0) and len(found.said) == 2


@pytest.mark.parametrize("other", [ones_forward, ones_central])
def test_other_styles_are_fair(other):
    """They accept the right modules that they can accept, and catch what is plainly wrong."""
    from lib.activations import Sigmoid
    from lib.losses import CrossEntropyLoss
    from lib.network import Linear
    for module in (Sigmoid, Linear, CrossEntropyLoss):
        for example in examples_of(module, np.random.default_rng(0)):
            assert accepts(other, *example)
    caught = {mutant.name for mutant in BANK if mutant.module in ("Sigmoid", "Linear")
              and not accepts(other, *mutant.situation(np.random.default_rng(0)))}
    assert {"SigmoidOfSigmoid", "SigmoidSign", "LinearBiasMean", "LinearSubtracts", "LinearForgetsBias"} <= caught
    assert {"LinearOverwrites", "LinearBiasAbsolute", "SigmoidSquaredUpstream"} & caught == set()


@pytest.mark.slow
def test_gradcheck_is_wrapped_fairly():
    pytest.importorskip("torch", reason="torch.autograd.gradcheck is one of the styles compared")
    from lib.activations import Sigmoid
    from lib.losses import CrossEntropyLoss
    from lib.network import Linear
    from lib.regularizers import L2Regularization
    from tests.mutants.other_checkers import gradcheck
    for module in (Sigmoid, Linear, CrossEntropyLoss, L2Regularization):
        for example in examples_of(module, np.random.default_rng(0))[:1]:
            assert accepts(gradcheck, *example)
    caught = {mutant.name for mutant in BANK if mutant.module == "Sigmoid"
              and not accepts(gradcheck, *mutant.situation(np.random.default_rng(0)))}
    assert {"SigmoidOfSigmoid", "SigmoidSign", "SigmoidOnlyDerivative", "SigmoidByDot"} <= caught


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
