"""Data files of one's own: MNIST in its formats, the Titanic's table, and what isn't the file that was meant."""
from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from lib.data.mnist import load_mnist
from lib.data.titanic import load_titanic, read_titanic
from lib.dataset_mnist import load_mnist_data
from lib.validation import InputError

rng = np.random.default_rng(0)
IMAGES, DIGITS = rng.integers(0, 256, (30, 28, 28)).astype(np.uint8), (np.arange(30) % 10).astype(np.uint8)
FILES = {"train-images-idx3-ubyte": IMAGES[:20], "train-labels-idx1-ubyte": DIGITS[:20],
         "t10k-images.idx3-ubyte": IMAGES[20:], "t10k-labels.idx1-ubyte": DIGITS[20:]}
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 9912422\n"


def idx(array, shape=None):
    shape = array.shape if shape is None else shape
    return struct.pack(f">{1 + len(shape)}i", 2048 + len(shape), *shape) + array.tobytes()


def write_folder(folder, zipped=False, **changes):
    for name, array in FILES.items():
        data = changes.get(name.split("-")[0] + "_" + name.split("-")[1].split(".")[0], idx(array))
        if data is not None:
            (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(data) if zipped else data)
    return folder


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_from_idx_files(zipped, tmp_path):
    for ours, expected in zip(load_mnist(write_folder(tmp_path, zipped)), FILES.values()):
        np.testing.assert_array_equal(ours, expected)
    x_train, x_val, x_test, y_train, y_val, y_test = load_mnist_data(path=str(tmp_path), num_validation=5)
    assert [len(part) for part in (x_train, x_val, x_test)] == [15, 5, 10] and y_train.shape == (15, 10)
    np.testing.assert_allclose(x_test, IMAGES[20:].reshape(10, 784) / 255, rtol=1e-6)
    np.testing.assert_array_equal(y_val.argmax(axis=1), DIGITS[15:20])


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_mnist_from_an_npz_file(write, tmp_path):
    write(str(tmp_path / "m.npz"), x_train=IMAGES[:20], y_train=DIGITS[:20], x_test=IMAGES[20:], y_test=DIGITS[20:])
    np.testing.assert_array_equal(load_mnist_data(path=tmp_path / "m.npz", num_validation=5, one_hot=False)[5],
                                  DIGITS[20:])


@pytest.mark.parametrize("changes, message", [
    ({"train_images": LFS}, "pointer of Git LFS.*git lfs pull"), ({"train_labels": None}, "no file train-labels"),
    ({"t10k_images": b"<!DOCTYPE html><html>"}, "web page"), ({"t10k_images": b""}, "empty"),
    ({"t10k_images": b"PK\x03\x04rest"}, "IDX format"), ({"train_images": idx(IMAGES[:20])[:-1]}, "but has"),
    ({"train_labels": idx(DIGITS[:19])}, "20 training images and labels of shape .19,."),
    ({"train_labels": idx(DIGITS[:20] + np.uint8(5))}, "from 0 to 9"),
    ({"train_images": idx(IMAGES[:20, :27])}, r"shape \(N, 28, 28\)"),
    ({"t10k_labels": idx(IMAGES[20:])}, "labels of shape"),
    ({"train_images": gzip.compress(idx(IMAGES[:20]))[:-9]}, "cut off"),
    ({"train_images": struct.pack(">4i", 2051, 2 ** 31 - 1, 2 ** 30, 2 ** 30)}, "but has 0")])
def test_mnist_files_that_arent_what_they_should_be(changes, message, tmp_path):
    with pytest.raises((InputError, FileNotFoundError), match=message):
        load_mnist_data(path=write_folder(tmp_path, **changes))


def test_other_paths_of_mnist(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no"):
        load_mnist_data(path=tmp_path / "nothing")
    np.savez(str(tmp_path / "m.npz"), x_train=IMAGES)
    with pytest.raises(InputError, match="x_train, y_train, x_test, y_test in"):
        load_mnist_data(path=tmp_path / "m.npz")
    np.savez(str(tmp_path / "o.npz"), x_train=np.array([None], dtype=object))
    with pytest.raises(InputError, match="can't be read"):
        load_mnist_data(path=tmp_path / "o.npz")


# -------------------------------------------------------------------- Titanic

TABLE = "Name,Fare,Survived,Age,Pclass\nA,7.25,0,22,3\nB,71.28,1,,1\n"


def table(folder, text, encoding="utf-8"):
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def test_a_table_of_ones_own(tmp_path):
    for text in (TABLE, TABLE.replace("\n", "\r\n"), "\ufeff" + TABLE, TABLE.replace(",,", ",NA,")):
        path = table(tmp_path, text)
        np.testing.assert_array_equal(read_titanic(path), [[3, 22, 0, 7.25], [1, np.nan, 1, 71.28]])
    for loaded in (load_titanic(path), load_titanic(str(path)), load_titanic("drop", path=path)):
        np.testing.assert_array_equal(loaded.x, [[3, 22, 0]])
        assert loaded.missing["age"] == 1
    np.testing.assert_array_equal(load_titanic("mean", path=path).x[1], [1, 22, 1])


@pytest.mark.parametrize("text, message", [
    (TABLE.replace("Fare", "Price"), "finds no fare among name, price"), (TABLE.replace(",", ";"), "semicolons"),
    (TABLE.replace("7.25", '"7,25"'), "line 2 is '7,25'.*with a point"),
    (TABLE.replace("7.25", "7,25"), "line 2.*6 fields"),
    (TABLE.replace("7.25", "cheap"), "'cheap', which is no number"),
    (TABLE.replace(",3\n", ",4\n"), "pclass.*1 or 2 or 3"), (TABLE.replace(",0,", ",2,"), "survived.*0 or 1"),
    (TABLE.replace("7.25", "-7"), "fare.*zero or a positive"), (TABLE.replace("7.25", "inf"), "fare"),
    (TABLE.split("\n")[0], "no passenger"), ("", "empty"), (LFS, "Git LFS"),
    (TABLE.replace("A,", "\xe9,").encode("latin-1"), "UTF-8"), ("<html><body>", "web page")])
def test_tables_that_arent_what_they_should_be(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        load_titanic(table(tmp_path, text))


def test_other_paths_of_the_table(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no"):
        load_titanic(path=tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="is a folder"):
        load_titanic(path=tmp_path)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
