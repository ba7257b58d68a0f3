"""The hidden units' activations after setting the first layer by hand."""
import numpy as np
import pytest

from lib.activations import ReLU
from lib.dataset import X
from lib.model_utilities import extract_hidden
from lib.models import create_2unit_net
from lib.network import Linear, Sequential


def test_hidden_activations():
    model = create_2unit_net()
    np.testing.assert_allclose(extract_hidden(model, X), [[0, 0], [1, 0], [1, 0], [2, 1]])
    np.testing.assert_array_equal(model[0].W.data, np.ones((2, 2)))
    np.testing.assert_array_equal(model[0].b.data, [0, -1])


def test_another_architecture_is_refused():
    for model in (Sequential(ReLU(), Linear(2, 2)), Sequential(Linear(2, 3), ReLU()), Sequential(Linear(2, 2)),
                  Linear(2, 2)):
        with pytest.raises(ValueError, match="begins with Linear"):
            extract_hidden(model, X)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
