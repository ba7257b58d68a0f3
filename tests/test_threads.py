"""BLAS's threads while something is trained: as many as its products can use, and afterwards as many as before."""
from __future__ import annotations

import sys

import numpy as np
import pytest

import lib.model_training
import lib.training
from lib.activations import ReLU
from lib.convolutions import Conv2d, Flatten
from lib.fitting.fit import fit
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.optimization.minimize import minimize
from lib.optimizers import SGD
from lib.steps.many_networks import train_many
from lib.steps.threads import MULTIPLICATIONS_A_THREAD, blas_threads, usable_threads

threadpoolctl = pytest.importorskip("threadpoolctl", reason="it sets the number of BLAS's threads")


def blas_now():
    """Return the numbers of threads of the BLAS libraries that are loaded."""
    return {library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def three_threads():
    """Let BLAS have three threads, whatever the environment says."""
    pytest.importorskip("scipy", reason="its BLAS is loaded with minimize, so it has to be here before the setting")
    import scipy.optimize
    assert scipy.optimize
    with threadpoolctl.threadpool_limits(limits=3, user_api="blas"):
        if blas_now() != {3}:
            pytest.skip("this BLAS has no threads that could be set")
        yield
        assert blas_now() == {3}


class Spy(ReLU):
    """Notes how many threads BLAS has while it is called."""

    seen = set()

    def forward(self, x):
        Spy.seen |= blas_now()
        return super().forward(x)


def network():
    Spy.seen = set()
    return Sequential(Linear(4, 5), Spy(), Linear(5, 3))


def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((6, 4)), np.eye(3)[[0, 1, 2, 2, 1, 0]]


def by_fit(model, x, y, **options):
    fit(model, CrossEntropyLoss(), SGD(model.parameters()), x, y, epochs=2, **options)


def by_train(module):
    def train(model, x, y, **options):
        module.train(model, CrossEntropyLoss(), SGD(model.parameters()), x, y, x, y, 2, 3, **options)
    return train


def by_minimize(model, x, y, **options):
    minimize(model, CrossEntropyLoss(), x, y, options={"maxiter": 2}, **options)


def by_train_many(model, x, y, **options):
    train_many(network, CrossEntropyLoss(), x, y, 2, seeds=2, **options)


WAYS = {"fit": by_fit, "sheet 4": by_train(lib.training), "sheet 5": by_train(lib.model_training),
        "minimize": by_minimize, "train_many": by_train_many}


@pytest.mark.parametrize("train", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("options, expected", [({}, {1}), ({"threads": 2}, {2}), ({"threads": 5}, {5})], ids=str)
def test_training_sets_the_threads_and_puts_them_back(train, options, expected):
    train(network(), *data(), **options)
    assert Spy.seen - {3} == expected  # train_many looks at an untrained model before


@pytest.mark.parametrize("train", WAYS.values(), ids=WAYS)
def test_they_are_put_back_after_an_error(train):
    x, y = data()
    with pytest.raises(ValueError):
        train(network(), x, 5 * y)


@pytest.mark.parametrize("train", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_a_wrong_number_is_explained(train, threads):
    with pytest.raises(ValueError, match="threads to be a whole number"):
        train(network(), *data(), threads=threads)


def test_they_are_set_once_a_run(monkeypatch):
    calls, limit = [], threadpoolctl.ThreadpoolController.limit
    monkeypatch.setattr(threadpoolctl.ThreadpoolController, "limit",
                        lambda self, **options: calls.append(options) or limit(self, **options))
    by_fit(Sequential(Linear(4, 3)), *data(), batch_size=1)
    assert calls == [{"limits": 1}]


def test_a_setting_of_the_user_is_never_exceeded():
    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        with blas_threads(None, Sequential(Linear(4096, 4096)), np.zeros((100, 4096)), 100):
            assert blas_now() == {2}
        assert blas_now() == {2}


def test_without_threadpoolctl_training_goes_on(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with blas_threads(None, network(), data()[0], 3):
        pass
    with pytest.raises(ImportError, match="pip install threadpoolctl"):
        with blas_threads(2, network(), data()[0], 3):
            pass


def test_the_threads_that_products_can_use():
    unit = MULTIPLICATIONS_A_THREAD
    assert unit == 2 ** 25
    assert usable_threads(Sequential(Linear(784, 128)), np.zeros((1000, 784)), 32) == 1
    assert usable_threads(Sequential(Linear(2 ** 10, 2 ** 10)), np.zeros((10000, 2 ** 10)), 32) == 1
    assert usable_threads(Sequential(Linear(2 ** 10, 2 ** 10)), np.zeros((10000, 2 ** 10)), 128) == 4
    assert usable_threads(Sequential(Linear(2 ** 10, 2 ** 10)), np.zeros((32, 2 ** 10)), 128) == 1  # one batch of 32
    assert usable_threads(Sequential(Linear(2 ** 10, 2 ** 10)), np.zeros((64, 4, 2 ** 10)), 32) == 4  # sequences
    images = np.zeros((32, 16, 32, 32), np.float32)
    assert usable_threads(Sequential(Conv2d(16, 32, 4), Flatten()), images, 32) == 2 ** 13 * 2 ** 15 // unit
    assert usable_threads(Sequential(Conv2d(16, 32, 4), Flatten()), images, 2) == 1
    assert usable_threads(Sequential(ReLU()), np.zeros((5, 2)), 5) == 1


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
