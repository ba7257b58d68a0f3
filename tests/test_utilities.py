"""one_hot_encoding, Dummy, and saving results."""
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.dataset import X, y
from lib.saving.files import write_atomically
from lib.utilities import Dummy, load_result, one_hot_encoding, save_result
from tests.finite_differences import assert_backward_is_right


@given(st.lists(st.integers(0, 6), max_size=20))
def test_one_hot(labels):
    encoded = one_hot_encoding(np.array(labels, dtype=int), num_classes=7)
    assert encoded.shape == (len(labels), 7) and encoded.dtype == np.float64
    assert encoded.sum() == len(labels)
    assert [int(row.argmax()) for row in encoded] == labels


def test_one_hot_takes_lists_and_whole_floats():
    np.testing.assert_array_equal(one_hot_encoding([1, 0], 2), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(one_hot_encoding(np.array([1.0, 0.0]), 2), [[0, 1], [1, 0]])


@pytest.mark.parametrize("labels, classes, words", [
    ([0, 3], 3, "from 0 to 2.*the label 3"), ([-1, 0], 3, "the label -1"), ([0.5], 3, "whole numbers"),
    ([[0, 1]], 2, r"\(1, 2\).*one-hot already"), (["a"], 2, "whole numbers"), ([0], 0, "num_classes"),
    ([np.nan], 2, "whole numbers"), ([np.inf], 2, "whole numbers"),
])
def test_one_hot_refuses(labels, classes, words):
    with pytest.raises(ValueError, match=words):
        one_hot_encoding(np.array(labels), classes)


def test_dummy(rng):
    np.testing.assert_allclose(Dummy()(np.array([0.0, 2.0])), [0.5, -1.5])
    assert_backward_is_right(Dummy(), (rng.standard_normal((2, 3)),))
    Dummy().check_gradients((rng.standard_normal((2, 3)),))


def test_results_come_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_result("first", {"loss": [1.0, 0.5], "weights": np.arange(3)})
    assert load_result("first")["loss"] == [1.0, 0.5]
    assert os.listdir("results") == ["first.pkl"]
    with pytest.raises(FileNotFoundError, match="no result 'second'"):
        load_result("second")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = write_atomically(tmp_path / "file.txt", lambda file: file.write(b"old"))

    def fail_midway(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError):
        write_atomically(path, fail_midway)
    assert path.read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["file.txt"]


def test_xor():
    np.testing.assert_array_equal(X, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(y, X[:, 0] ^ X[:, 1])
    assert X.dtype.kind == y.dtype.kind == "i"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
