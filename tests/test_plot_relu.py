"""plot_relu draws max(0, x) and works without a screen."""
import numpy as np
import pytest

from lib.plot import plot_relu


def test_the_curve_is_relu():
    plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib draws")
    plt.close("all")
    plot_relu()
    line = plt.gcf().axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), np.maximum(0, line.get_xdata()))
    assert min(line.get_xdata()) < 0 < max(line.get_xdata())


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
