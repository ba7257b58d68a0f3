"""Both hand-made networks give the same output."""
import numpy as np

from lib.dataset import X
from lib.models import create_2unit_net, create_3unit_net


def test_outputs_agree(rng):
    for x in (X, rng.uniform(-2, 2, (50, 2))):
        two, three = create_2unit_net()(x), create_3unit_net()(x)
        assert two.shape == (len(x), 2)
        np.testing.assert_allclose(two, three)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
