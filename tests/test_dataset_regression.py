"""The 1-D regression data: the sheet's recipe, and no trace in NumPy's global random state."""
from __future__ import annotations

import numpy as np
import pytest

from lib.data.regression import load_regression_data


def test_the_sheets_data():
    x_train, y_train, x_test, y_test = load_regression_data()
    assert x_train.shape == y_train.shape == (100, 1) and x_test.shape == y_test.shape == (123, 1)
    assert y_train[:3, 0] == pytest.approx([0.16243454, 0.06541681, 0.19833081], abs=5e-9)
    for x in (x_train, x_test):
        assert x[0, 0] == 0 and x[-1, 0] == pytest.approx(4 * np.pi) and np.ptp(np.diff(x[:, 0])) < 1e-12


def test_drawn_point_by_point_as_on_the_sheet():
    x_train, y_train, x_test, y_test = load_regression_data()
    state = np.random.get_state()
    try:
        np.random.seed(1)
        for x, y in [(x_train, y_train), (x_test, y_test)]:
            expected = [np.sin(x_i) + np.random.normal(0, 0.1) for x_i in x[:, 0]]
            assert y[:, 0] == pytest.approx(expected, abs=1e-15)
    finally:
        np.random.set_state(state)


def test_global_random_state_is_left_alone():
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    load_regression_data()
    assert np.random.rand() == expected


def test_options():
    x, y, _, _ = load_regression_data(noise=0, dtype=np.float32)
    assert x.dtype == y.dtype == np.float32 and np.allclose(y, np.sin(x), atol=1e-6)
    assert not np.array_equal(load_regression_data(seed=2)[1], load_regression_data()[1])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
