"""The hidden units' activations after setting the first layer by hand."""
import numpy as np

from lib.dataset import X
from lib.model_utilities import extract_hidden
from lib.models import create_2unit_net


def test_hidden_activations():
    model = create_2unit_net()
    np.testing.assert_allclose(extract_hidden(model, X), [[0, 0], [1, 0], [1, 0], [2, 1]])
    np.testing.assert_array_equal(model.modules[0].W.data, np.ones((2, 2)))
    np.testing.assert_array_equal(model.modules[0].b.data, [0, -1])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
