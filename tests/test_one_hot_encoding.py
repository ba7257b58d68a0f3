"""one_hot_encoding: a row with a single 1 for each class number."""
import numpy as np

from lib.utilities import one_hot_encoding


def test_known_values():
    encoded = one_hot_encoding(np.array([2, 0, 2, 1]), 4)
    np.testing.assert_array_equal(encoded, [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]])
    assert encoded.dtype.kind == "f"


def test_the_number_of_classes_may_be_named():
    assert one_hot_encoding(np.array([0]), num_classes=1).tolist() == [[1.0]]
    assert one_hot_encoding(np.arange(3), num_classes=5).shape == (3, 5)


def test_the_class_numbers_stay_as_they_are():
    y = np.array([1, 0, 1])
    one_hot_encoding(y, 2)
    np.testing.assert_array_equal(y, [1, 0, 1])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
