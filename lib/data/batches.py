"""Cutting data into mini-batches, and into a part to train on and a part to test on."""
from __future__ import annotations

from typing import Any, Callable, Iterator, List, Optional, Tuple

import numpy as np

from lib.validation import (InputError, random_source, refuse_masked, require_choice, require_positive,
                            require_size)


class Batches:
    """The mini-batches of a data set, in a new random order each time that they are iterated over.

    Samples are shuffled, not batches: any two samples can meet in a batch. Every sample comes once; when batch_size
    doesn't divide their number, the last batch is smaller.

    >>> batches = Batches(np.arange(5), np.arange(5), batch_size=2, shuffle=False)
    >>> [x.tolist() for x, y in batches]
    [[0, 1], [2, 3], [4]]
    >>> len(batches)
    3

    Args:
        x: inputs, (N, ...).
        y: labels, (N, ...).
        batch_size: samples a batch.
        shuffle: False keeps the order.
        rng: shuffles; NumPy's global random state when it isn't given, so that np.random.seed repeats a run.
        drop_last: whether a last batch that is smaller than the others is left out: other samples in each epoch.
        transform: applied to the x of each batch, such as one that turns bytes into floats only when they are used.
        sample_weight: the weights of the samples, (N,), which each batch then has as a third part.
    """

    def __init__(self, x: Any, y: Any, batch_size: int, shuffle: bool = True,
                 rng: Optional[np.random.Generator] = None,
                 transform: Optional[Callable[[np.ndarray], np.ndarray]] = None, drop_last: bool = False,
                 sample_weight: Any = None) -> None:
        require_size("batch_size", batch_size, self)
        refuse_masked(x, self)
        refuse_masked(y, self)
        refuse_masked(sample_weight, self)
        self.x, self.y = np.asarray(x), np.asarray(y)
        self.arrays = [self.x, self.y] + ([] if sample_weight is None else [np.asarray(sample_weight)])
        _require_same_length(self, *self.arrays)
        random_source(rng, self)
        require_choice("shuffle", shuffle, (True, False), self)
        require_choice("drop_last", drop_last, (True, False), self)
        self.batch_size, self.shuffle, self.rng, self.transform = int(batch_size), shuffle, rng, transform
        self.drop_last = drop_last
        if not len(self):
            raise InputError(f"Batches of {batch_size} can't be made of {len(self.x)} samples with drop_last=True: "
                             "there would be none.")

    def __len__(self) -> int:
        """Return the number of batches: N / batch_size, rounded up, or down with drop_last."""
        return len(self.x) // self.batch_size if self.drop_last else -(-len(self.x) // self.batch_size)

    def __iter__(self) -> Iterator[Tuple[np.ndarray, ...]]:
        n = len(self.x)
        order = random_source(self.rng, self).permutation(n) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            stop = start + self.batch_size
            chosen = slice(start, stop) if order is None else order[start:stop]
            x_batch, *labels = (rows(array, chosen) for array in self.arrays)
            yield (x_batch if self.transform is None else self.transform(x_batch), *labels)


def rows(array: np.ndarray, chosen: Any) -> np.ndarray:
    """Return array[chosen], for a slice or row numbers; take is faster for those, if the rows lie side by side."""
    if isinstance(chosen, slice) or not array.flags.c_contiguous:
        return array[chosen]
    return array.take(chosen, axis=0)


def train_test_split(*arrays: Any, test_size: float = 0.2, seed: int = 0) -> List[np.ndarray]:
    """Split arrays at random, all in the same way: [x_train, x_test, y_train, y_test] for arrays x, y.

    Args:
        arrays: arrays with the same number of rows.
        test_size: the share of rows in the test part, between 0 and 1.
        seed: the same seed gives the same split.

    Returns:
        For each array its training part and its test part, both in random order.
    """
    for array in arrays:
        refuse_masked(array, "train_test_split")
    require_positive("test_size", test_size, "train_test_split")
    require_size("seed", seed, "train_test_split", least=0)
    arrays = tuple(np.asarray(array) for array in arrays)
    _require_same_length("train_test_split", *arrays)
    n = len(arrays[0])
    num_test = int(round(n * test_size))
    if not 0 < num_test < n:
        raise InputError(f"train_test_split expects a test_size between 0 and 1 that leaves rows on both sides, but "
                         f"test_size={test_size} of {n} rows puts {num_test} into the test part.")
    order = np.random.default_rng(seed).permutation(n)
    return [array[part] for array in arrays for part in (order[num_test:], order[:num_test])]


def _require_same_length(who: Any, *arrays: np.ndarray) -> None:
    """Raise InputError unless there are arrays, all with the same number of rows, and at least one row."""
    shapes = ", ".join(str(array.shape) for array in arrays)
    if not arrays or any(array.ndim == 0 or len(array) == 0 or len(array) != len(arrays[0]) for array in arrays):
        name = who if isinstance(who, str) else type(who).__name__
        raise InputError(f"{name} expects arrays with the same number of rows, one row for each example, and at "
                         f"least one, but got the shapes {shapes or 'of no array'}.")
