"""Both hand-made networks predict the same."""
import numpy as np

from lib.dataset import X
from lib.models import create_2unit_net, create_3unit_net


def test_outputs_agree():
    two, three = create_2unit_net()(X), create_3unit_net()(X)
    assert two.shape == three.shape == (4, 2)
    np.testing.assert_array_equal(np.argmax(two, axis=1), np.argmax(three, axis=1))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
