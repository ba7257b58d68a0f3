"""plot_relu draws max(0, x) and works without a screen."""
import numpy as np

from lib.plot import plot_relu
from tests.drawings import drawing_of


def test_a_curve_is_relu():
    curves = drawing_of(plot_relu).curves
    assert any(min(x) < 0 < max(x) and np.allclose(y, np.maximum(0, x)) for x, y, _ in curves), \
        "no curve shows max(0, x) on both sides of 0"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
