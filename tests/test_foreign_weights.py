"""Weights of another program: W1, b1, W2, b2, ... in an .npz file."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU
from lib.convolutions import Conv2d, Flatten
from lib.network import Linear, Sequential
from lib.saving.foreign import load_weights
from lib.saving.npz import FileContentError

rng = np.random.default_rng(0)
ARRAYS = {"W1": rng.standard_normal((3, 4)), "b1": rng.standard_normal(4),
          "W2": rng.standard_normal((4, 4)), "b2": rng.standard_normal((1, 4)),
          "W3": rng.standard_normal((4, 2)), "b3": rng.standard_normal((2, 1))}


def net():
    return Sequential(Linear(3, 4), ReLU(), Sequential(Linear(4, 4), ReLU()), Linear(4, 2))


def by_hand(x, arrays):
    h = np.maximum(x @ arrays["W1"] + arrays["b1"].ravel(), 0)
    return np.maximum(h @ arrays["W2"] + arrays["b2"].ravel(), 0) @ arrays["W3"] + arrays["b3"].ravel()


@pytest.mark.parametrize("change", [
    lambda arrays: arrays,
    lambda arrays: {name.lower(): array for name, array in arrays.items()},
    lambda arrays: {f"{name[0]}_{int(name[1]) - 1}": array for name, array in arrays.items()},
    lambda arrays: {name: array.T if name[0] == "W" else array for name, array in arrays.items()}])
@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_the_model_computes_what_the_arrays_do(change, write, tmp_path):
    write(str(tmp_path / "w.npz"), **change(ARRAYS))
    x = rng.standard_normal((5, 3))
    model = load_weights(net(), tmp_path / "w.npz")
    np.testing.assert_allclose(model(x), by_hand(x, ARRAYS))
    single = load_weights(net().astype(np.float32), str(tmp_path / "w.npz"))
    assert single(x.astype(np.float32)).dtype == np.float32


def test_square_matrices_alone_dont_tell_their_direction(tmp_path):
    W = rng.standard_normal((3, 3))
    np.savez(str(tmp_path / "w.npz"), W1=W, b1=np.zeros(3))
    with pytest.raises(FileContentError, match="all square.*transposed=False or True"):
        load_weights(Linear(3, 3), tmp_path / "w.npz")
    for transposed in (False, True):
        model = load_weights(Linear(3, 3), tmp_path / "w.npz", transposed=transposed)
        np.testing.assert_array_equal(model.W.data, W.T if transposed else W)


def test_filters_and_layers_without_bias(tmp_path):
    model = Sequential(Conv2d(1, 2, 3, bias=False), Flatten(), Linear(8, 2))
    arrays = {"W1": rng.standard_normal((2, 1, 3, 3)), "W2": rng.standard_normal((8, 2)), "b2": np.ones(2)}
    np.savez(str(tmp_path / "w.npz"), **arrays)
    load_weights(model, tmp_path / "w.npz")
    np.testing.assert_array_equal(model.modules[0].W.data, arrays["W1"])
    np.testing.assert_array_equal(model.modules[2].b.data, arrays["b2"])


@pytest.mark.parametrize("change, message", [
    ({"W2": None}, "without gaps"), ({"W3": None, "b3": None}, "2 layers, but the model has 3"),
    ({"b2": None}, "no b2"), ({"W1": np.ones((3, 5))}, r"W1 has shape \(3, 5\), but Sequential.0. needs \(3, 4\)"),
    ({"b1": np.ones(5)}, "b1 has shape"), ({"W1": np.full((3, 4), np.nan)}, "finite"),
    ({"W1": np.full((3, 4), "a")}, "finite"), ({"speed": np.ones(1)}, "'speed', where W1"),
    ({"b7": np.ones(1)}, "without gaps"), ({"W1": np.array([None], dtype=object)}, "can't be read")])
def test_what_doesnt_fit_changes_nothing(change, message, tmp_path):
    arrays = {name: array for name, array in {**ARRAYS, **change}.items() if array is not None}
    np.savez(str(tmp_path / "w.npz"), **arrays)
    model = net()
    before = [param.data.copy() for param in model.parameters()]
    with pytest.raises(FileContentError, match=message):
        load_weights(model, tmp_path / "w.npz")
    for param, data in zip(model.parameters(), before):
        np.testing.assert_array_equal(param.data, data)


def test_no_file_and_no_arrays(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        load_weights(net(), tmp_path / "w.npz")
    (tmp_path / "w.npz").write_bytes(b"not a zip")
    with pytest.raises(FileContentError, match="can't be read"):
        load_weights(net(), tmp_path / "w.npz")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
