"""MNIST: 70,000 handwritten digits, at four resolutions, as bytes or as a task of two classes.

The images stay the bytes that they are on disk, 0 to 255, until a function turns them into numbers from 0 to 1. The
task of all ten classes is lib.dataset_mnist's.

Source: Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits; see lib/data/README.md.
"""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Tuple, Union

import numpy as np

from lib.data.files import existing_path, read_idx, read_npz_arrays
from lib.utilities import one_hot_encoding
from lib.validation import InputError, require_choice, require_size

MNIST_FILE = Path(__file__).parent / "mnist.npz"
RESOLUTIONS = (28, 8, 4, 1)
NAMES = ("x_train", "y_train", "x_test", "y_test")


MnistArrays = Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def load_mnist(path: Union[str, Path, None] = None) -> MnistArrays:
    """Return the data set as it is on disk: bytes, read once and then shared, so they can't be written to.

    Args:
        path: where another copy is: a folder with MNIST's four IDX files (plain or .gz), or an .npz file with arrays
            x_train, y_train, x_test, y_test; that of the library when it isn't given. A data set that looks like MNIST,
            such as Fashion-MNIST, will do, too.

    Returns:
        x_train (60000, 28, 28), y_train (60000,), x_test (10000, 28, 28), y_test (10000,), all uint8.

    Raises:
        FileNotFoundError, InputError: the files aren't there, or aren't what they should be.
    """
    if path is None:
        return _library_copy()
    found = existing_path(path, "load_mnist_data")
    arrays = _from_folder(found) if found.is_dir() else _from_npz(found)
    for images, digits, part in ((arrays[0], arrays[1], "training"), (arrays[2], arrays[3], "test")):
        if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
            raise InputError(f"load_mnist_data expects {part} images of shape (N, 28, 28) in bytes, but found shape "
                             f"{images.shape} of {images.dtype} in {str(found)!r}.")
        if digits.shape != (len(images),):
            raise InputError(f"load_mnist_data expects a label for each image, but found {len(images)} {part} images "
                             f"and labels of shape {digits.shape} in {str(found)!r}. Do the files belong together?")
        if digits.dtype.kind not in "iu" or not len(digits) or digits.min() < 0 or digits.max() > 9:
            raise InputError(f"load_mnist_data expects whole numbers from 0 to 9 as {part} labels, but found others in "
                             f"{str(found)!r}.")
    return arrays


@lru_cache(maxsize=1)
def _library_copy() -> MnistArrays:
    with np.load(str(MNIST_FILE), allow_pickle=False) as file:
        arrays = tuple(file[name] for name in NAMES)
    for array in arrays:
        array.flags.writeable = False
    return arrays  # type: ignore[return-value]


def _from_npz(path: Path) -> MnistArrays:
    arrays = read_npz_arrays(path, "load_mnist_data")
    missing = [name for name in NAMES if name not in arrays]
    if missing:
        raise InputError(f"load_mnist_data expects the arrays {', '.join(NAMES)} in {str(path)!r}, but it has "
                         f"{', '.join(arrays) or 'none'}.")
    return tuple(arrays[name] for name in NAMES)  # type: ignore[return-value]


def _from_folder(folder: Path) -> MnistArrays:
    """Return the arrays of the four IDX files in a folder, such as train-images-idx3-ubyte.gz."""
    found = []
    for beginning in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        files = sorted(path for path in folder.glob(f"{beginning}*") if path.is_file())
        if not files:
            raise FileNotFoundError(f"load_mnist_data: there is no file {beginning}-... in {str(folder)!r}, where "
                                    "MNIST's four IDX files are expected, plain or .gz.")
        found.append(read_idx(files[0], "load_mnist_data"))
    return tuple(found)  # type: ignore[return-value]


def load_mnist_pair(a: int, b: int, resolution: int = 28, method: str = "sheet", flatten: bool = True,
                    one_hot: bool = False, dtype: Any = np.float32) -> Tuple[np.ndarray, ...]:
    """Return the images of two digits as a task of two classes: digit a is class 0, digit b is class 1.

    Args:
        a, b: two different digits.
        resolution, method, flatten, dtype: as for lib.dataset_mnist.load_mnist_data.
        one_hot: labels as one-hot rows, (N, 2); otherwise class numbers, (N,).

    Returns:
        x_train, y_train, x_test, y_test, in MNIST's order. For 1 and 8: 12,593 and 2,109 examples.
    """
    for name, digit in (("a", a), ("b", b)):
        require_choice(name, digit, tuple(range(10)), "load_mnist_pair")
    if a == b:
        raise InputError(f"load_mnist_pair expects two different digits, but got {a} twice.")
    x_train, y_train, x_test, y_test = load_mnist()

    def prepare(images: np.ndarray, digits: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        chosen = (digits == a) | (digits == b)
        classes = (digits[chosen] == b).astype(np.int64)
        labels = one_hot_encoding(classes, num_classes=2).astype(dtype) if one_hot else classes
        return resize(images[chosen], resolution, method, flatten, dtype), labels

    return prepare(x_train, y_train) + prepare(x_test, y_test)


def resize(images: np.ndarray, resolution: int, method: str = "sheet", flatten: bool = True,
           dtype: Any = np.float32) -> np.ndarray:
    """Return images of bytes as numbers from 0 to 1, at a lower resolution if asked.

    method="sheet" resizes without smoothing first: 4x4 is every seventh pixel, 8x8 is bilinear interpolation at the
    positions 3.5 i + 1.25, and only 1x1 is a mean. method="block" takes the means of blocks, and so uses every pixel:
    7x7 blocks for 4x4; for 8x8, as 28 is not divisible by 8, 4x4 blocks of the image with two rows and columns of
    zeros on every side; for 1x1 the whole image.

    Args:
        images: (N, 28, 28), uint8.
        resolution: 28, 8, 4 or 1.
        method: "sheet" or "block".
        flatten: rows, (N, resolution ** 2); otherwise (N, 1, resolution, resolution).
        dtype: the precision of the result.
    """
    require_choice("resolution", resolution, RESOLUTIONS, "resize")
    require_choice("method", method, ("sheet", "block"), "resize")
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise InputError(f"resize expects images as load_mnist gives them, (N, 28, 28) of uint8, but got shape "
                         f"{images.shape} of {images.dtype}.")
    pixels = images
    if resolution == 1:
        pixels = block_means(images, size=28)
    elif resolution == 4:
        pixels = images[:, 3::7, 3::7] if method == "sheet" else block_means(images, size=7)
    elif resolution == 8 and method == "sheet":
        pixels = sample_bilinearly(images, positions=3.5 * np.arange(8) + 1.25)
    elif resolution == 8:
        pixels = block_means(np.pad(images, ((0, 0), (2, 2), (2, 2))), size=4)
    shape = (resolution ** 2,) if flatten else (1, resolution, resolution)
    # dividing in the result's own precision makes one pass, without a copy in float64
    return np.divide(pixels, 255, dtype=dtype, casting="unsafe").reshape((len(images),) + shape)


def block_means(images: np.ndarray, size: int) -> np.ndarray:
    """Return the mean of each size x size block: (N, height, width) to (N, height / size, width / size)."""
    n, height, width = images.shape
    blocks = images.reshape(n, height // size, size, width // size, size)
    return blocks.sum(axis=(2, 4), dtype=np.int64) / size ** 2  # bytes are summed as integers: that is exact


def sample_bilinearly(images: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the images' values at positions between pixels, the same for rows and columns.

    At position i + f, with 0 <= f < 1, the value is (1 - f) times pixel i plus f times pixel i + 1, first from row to
    row and then from column to column.
    """
    i = np.floor(positions).astype(int)
    f = positions - i
    rows = (1 - f)[:, np.newaxis] * images[:, i] + f[:, np.newaxis] * images[:, i + 1]
    return (1 - f) * rows[:, :, i] + f * rows[:, :, i + 1]


def shifted(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return images each of which is shifted at random by up to `most` pixels up or down, and left or right.

    What leaves the image on one side is lost; on the other side, zeros come in.

    Args:
        images: (N, ..., height, width).
        most: the greatest shift.
        rng: draws the shifts.
    """
    require_size("most", most, "shifted", least=0)
    images = np.asarray(images)
    height, width = images.shape[-2:]
    margin = [(0, 0)] * (images.ndim - 2) + [(most, most)] * 2
    padded = np.pad(images, margin)
    corners = rng.integers(0, 2 * most + 1, (len(images), 2))
    return np.stack([image[..., r:r + height, c:c + width] for image, (r, c) in zip(padded, corners)])
