"""Saving and loading models: lib.saving.model_files, and lib.saving.npz beneath it."""
from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.network_base import Module
from lib.saving.model_files import load, model_arrays, save
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.layers.normalization import BatchNorm1d
from lib.saving.npz import FileContentError, flatten_tree, read_npz, restore_tree, text_to_array, write_npz
from lib.regularizers import Dropout


def create_net(hidden=5):
    return Sequential(Linear(3, hidden), BatchNorm1d(hidden), ReLU(), Dropout(0.2), Residual(Linear(hidden, hidden)),
                      Linear(hidden, 2))


def contents(model):
    """Return all that a model consists of: values of parameters and buffers, gradients and caches."""
    arrays = [p.data for p in model.parameters()] + [b for _, b in model.named_buffers()]
    return [a.tobytes() for a in arrays + [p.grad for p in model.parameters()]], model.modules[0].input_cache


def replace_member(path, name, data, compression=zipfile.ZIP_STORED):
    """Rewrite a file with other bytes for one of its arrays; None leaves it out."""
    with zipfile.ZipFile(str(path)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name + ".npy"] = data
    with zipfile.ZipFile(str(path), "w", compression) as archive:
        for filename, content in members.items():
            if content is not None:
                archive.writestr(filename, content)


def npy(array, allow_pickle=False):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), allow_pickle=allow_pickle)
    return file.getvalue()


@pytest.fixture
def saved(tmp_path):
    """A trained-looking model and its file."""
    model = create_net()
    for parameter in model.parameters():
        parameter.data = np.random.randn(*parameter.data.shape)
    model(np.random.randn(8, 3))  # moves the running averages
    return model, save(model, tmp_path / "models" / "net.npz")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_loaded_model_is_the_saved_one_bit_for_bit(tmp_path, dtype):
    model, other = create_net().astype(dtype), create_net().astype(dtype)
    model(np.random.randn(8, 3).astype(dtype))
    assert load(other, save(model, tmp_path / "net.npz")) is other
    assert contents(other)[0] == contents(model)[0]
    x = np.random.randn(4, 3).astype(dtype)
    np.testing.assert_array_equal(other.eval()(x), model.eval()(x))


def test_numpy_opens_the_file_without_pickle(saved):
    model, path = saved
    with np.load(str(path), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["Sequential[0].W"], model[0].W.data)
        np.testing.assert_array_equal(arrays["Sequential[1].running_mean"], model[1].running_mean)


def test_loading_leaves_the_arrays_that_others_hold(saved):
    model, path = saved
    other = create_net()
    held = other[0].W.data
    copy = held.copy()
    load(other, path)
    np.testing.assert_array_equal(held, copy)
    other[0].W.data[...] = 0
    assert load(create_net(), path)[0].W.data.any()


def test_saving_replaces_the_file_at_once_or_not_at_all(saved, monkeypatch):
    model, path = saved
    before = path.read_bytes()
    model[0].W.data[0, 0] += 1

    def fail(*args, **kwargs):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(np.lib.format, "write_array", fail)
        with pytest.raises(OSError, match="disk full"):
            save(model, path)
    assert path.read_bytes() == before and [file.name for file in path.parent.iterdir()] == ["net.npz"]
    save(model, path)
    assert path.read_bytes() != before


def must_refuse(path, match, model=None):
    """Check that loading raises a sentence that matches, and changes nothing in the model."""
    model = create_net() if model is None else model
    model(np.random.randn(4, 3).astype(model[0].W.data.dtype))
    before, cache = contents(model)
    state = np.random.get_state()[1].tolist()
    with pytest.raises(FileContentError, match=match):
        load(model, path)
    after, cache_after = contents(model)
    assert after == before and cache_after is cache and np.random.get_state()[1].tolist() == state


def test_a_file_truncated_anywhere_is_refused(saved):
    _, path = saved
    data = path.read_bytes()
    for length in list(range(0, len(data), 97)) + [len(data) - 1]:
        path.write_bytes(data[:length])
        must_refuse(path, "damaged")


def test_a_file_with_changed_bytes_is_refused_or_still_the_same(saved):
    model, path = saved
    data = path.read_bytes()
    refused = 0
    for position in range(0, len(data), 61):
        changed = bytearray(data)
        changed[position] ^= 0x55
        path.write_bytes(changed)
        other = create_net()
        before = contents(other)[0]
        try:
            load(other, path)
        except FileContentError:
            refused += 1
            assert contents(other)[0] == before
        else:  # bytes that don't matter, such as a file's date
            assert contents(other)[0] == contents(model)[0]
    assert refused > 30


@pytest.mark.parametrize("other", [
    lambda: create_net(hidden=6), lambda: Sequential(Linear(3, 5), Linear(5, 2)),
    lambda: Sequential(Linear(3, 5), BatchNorm1d(5), ReLU(), Dropout(0.5), Residual(Linear(5, 5)), Linear(5, 2))])
def test_another_architecture_is_refused(saved, other):
    must_refuse(saved[1], "another architecture", other())


def test_a_file_knows_settings_that_no_repr_shows(tmp_path):
    class Block(Module):
        def __init__(self, activation):
            self.linear, self.activation = Linear(3, 3), activation

        def parameters(self):
            return self.linear.parameters()

        def forward(self, x):
            return self.activation(self.linear(x))

    path = save(Sequential(Block(ReLU()), BatchNorm1d(3)), tmp_path / "a.npz")
    for other, difference in ((Sequential(Block(Sigmoid()), BatchNorm1d(3)), r"\.activation: Sigmoid"),
                              (Sequential(Block(ReLU()), BatchNorm1d(3, eps=0.1)), "eps=0.1")):
        with pytest.raises(FileContentError, match=f"the model: .*{difference}"):
            load(other, path)


def test_a_file_written_before_settings_were_kept_can_still_be_loaded(tmp_path):
    model = create_net()
    write_npz(tmp_path / "old.npz", {"architecture": text_to_array(repr(model)), **model_arrays(model)})
    other = load(create_net(), tmp_path / "old.npz")
    np.testing.assert_equal(model_arrays(other), model_arrays(model))
    with pytest.raises(FileContentError, match="another architecture"):
        load(create_net(hidden=6), tmp_path / "old.npz")


def test_numbers_for_a_bias_that_is_none_are_refused(tmp_path):
    path = save(Linear(3, 2), tmp_path / "a.npz")
    with pytest.raises(FileContentError, match="another architecture|zeros and stays so"):
        load(Linear(3, 2, bias=False), path)


def test_a_long_architecture_is_shown_where_it_differs(tmp_path):
    def create(width):
        return Sequential(*[Linear(3, 3) for _ in range(40)], Linear(3, width), *[Linear(width, width)] * 1)

    path = save(create(4), tmp_path / "long.npz")
    with pytest.raises(FileContentError, match=r"the file: .*out_features=4\)(.|\n)*the model: .*out_features=5\)"):
        load(create(5), path)


def test_another_precision_is_refused_and_the_advice_works(saved):
    _, path = saved
    model = create_net().astype(np.float32)
    must_refuse(path, r"astype\(np.float64\)", model)
    load(model.astype(np.float64), path)


class Bomb:
    exploded = []

    def __reduce__(self):
        return (Bomb.exploded.append, (1,))


@pytest.mark.parametrize("name", ["Sequential[0].W", "architecture", "extra"])
def test_pickled_objects_are_refused_and_never_run(saved, name):
    _, path = saved
    replace_member(path, name, npy(np.array([Bomb()] * 15, dtype=object).reshape(3, 5), allow_pickle=True))
    must_refuse(path, "pickled Python objects")
    path.write_bytes(pickle.dumps(Bomb()))
    must_refuse(path, "damaged")
    assert Bomb.exploded == []


@pytest.mark.parametrize("array, match", [
    (np.zeros((3, 6)), "shape"), (np.zeros((3, 5), np.float32), "float32"), (np.zeros((3, 5), complex), "complex"),
    (np.zeros((3, 5), int), "int"), (np.full((3, 5), "x"), "<U1"), (np.zeros(()), "shape"),
    (np.full((3, 5), np.nan), "NaN"), (np.full((3, 5), -np.inf), "NaN or infinity"),
    (np.zeros((3, 5), [("a", float)]), "a")])
def test_a_wrong_array_is_refused(saved, array, match):
    _, path = saved
    replace_member(path, "Sequential[0].W", npy(array))
    must_refuse(path, match)


def test_missing_and_unknown_arrays_are_refused(saved):
    _, path = saved
    data = path.read_bytes()
    replace_member(path, "Sequential[0].b", None)
    must_refuse(path, r"has no Sequential\[0\].b")
    path.write_bytes(data)
    replace_member(path, "Sequential[9].W", npy(np.zeros(3)))
    must_refuse(path, r"Sequential\[9\].W")
    path.write_bytes(data)
    replace_member(path, "architecture", None)
    must_refuse(path, "no architecture")


def test_a_small_file_can_not_fill_the_memory(saved):
    _, path = saved
    data = path.read_bytes()
    header = npy(np.zeros((3, 5)))[:128]
    huge = header.replace(b"(3, 5), }" + b" " * 20, b"(300000000, 500000000), }    ")
    assert huge != header
    replace_member(path, "Sequential[0].W", huge)
    must_refuse(path, "another number of bytes")
    path.write_bytes(data)
    replace_member(path, "Sequential[0].W", header + bytes(10 ** 7), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10 ** 5
    must_refuse(path, "compressed")


def test_other_files_are_refused(tmp_path):
    model = create_net()
    with pytest.raises(FileNotFoundError, match="no file"):
        load(model, tmp_path / "nothing.npz")
    path = tmp_path / "file"
    for content in (b"", b"not a model", npy(np.zeros(3))):
        path.write_bytes(content)
        must_refuse(path, "damaged")
    np.savez(str(tmp_path / "other.npz"), a=np.zeros(3))
    must_refuse(tmp_path / "other.npz", "not written by `save`")


def test_a_model_that_diverged_is_not_saved(saved):
    model, path = saved
    before = path.read_bytes()
    model[0].b.data[2] = np.inf
    with pytest.raises(FileContentError, match=r"Sequential\[0\].b holds NaN or infinity"):
        save(model, path)
    assert path.read_bytes() == before


def test_nested_values_survive_a_file_bit_for_bit(tmp_path):
    tree = {"a": [1, 2.5, None, True, "ü"], 3: (np.float32(0.1), np.arange(6).reshape(2, 3)), "nan": float("nan"),
            "state": {"state": 2 ** 127 + 1, "empty": {}, "list": []}, "bytes": np.array([1, 255], np.uint8)}
    restored = restore_tree(read_npz(write_npz(tmp_path / "tree.npz", flatten_tree(tree, "tree"))), "tree")
    assert np.isnan(restored.pop("nan")) and np.isnan(tree.pop("nan"))
    for key in ("a", "state"):
        assert restored[key] == tree[key]
    assert isinstance(restored[3], tuple) and restored[3][0].dtype == np.float32 and restored[3][0] == tree[3][0]
    np.testing.assert_array_equal(restored[3][1], tree[3][1])
    assert restored["bytes"].dtype == np.uint8 and list(restored) == list(tree)
    with pytest.raises(FileContentError, match="can't be saved"):
        flatten_tree({"model": object()}, "tree")
    with pytest.raises(FileContentError, match="objects"):
        write_npz(tmp_path / "tree.npz", {"a": np.array([object()])})


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
