"""Windows that move over images, and the convolution, as textbooks write it: a sum over the positions in a window."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np

from lib.graph.notation import Term, entry, equation, partial, sum_over, words
from lib.graph.notation import call as function
from lib.graph.operations import Operation, call
from lib.graph.operations.shapes import Scatter
from lib.validation import InputError


class Windowed(Operation):
    """Base of the operations that see each place of an image through a window, which moves by a stride.

    Args:
        stride: the steps, (vertical, horizontal), or one number for both; so is padding.
        padding: the rows and columns of a border on each side.
    """

    def __init__(self, stride: Any = (1, 1), padding: Any = (0, 0)) -> None:
        self.stride, self.padding = (tuple(np.broadcast_to(pair, 2).tolist()) for pair in (stride, padding))

    def _padded(self, x: Any, border: float = 0.0) -> Any:
        around = [(0, 0), (0, 0), *((size, size) for size in self.padding)]
        return np.pad(x, around, constant_values=border) if any(self.padding) else x

    def _windows(self, x: Any, size: Tuple[int, ...]) -> Tuple[Any, int, int]:
        """Return the index that gives every window, (batch, channels, *size, height, width), and how many there are."""
        if x.ndim != 4:
            raise InputError(f"the images have shape {x.shape}")
        sizes = [n + 2 * padding - k for n, padding, k in zip(x.shape[2:], self.padding, size)]
        if min(sizes) < 0:
            raise InputError(f"the window {size} is larger than the images {x.shape[2:]}, padded by {self.padding}")
        height, width = (free // stride + 1 for free, stride in zip(sizes, self.stride))
        p, q, i, j = np.ogrid[:size[0], :size[1], :height, :width]
        return (slice(None), slice(None), i * self.stride[0] + p, j * self.stride[1] + q), height, width

    def _scattered(self, index: Any, shape: Tuple[int, ...], windows: Any) -> Any:
        """Return images of a shape to which windows are added at their places."""
        rows, columns = self.padding
        padded = call(Scatter(index, shape[:2] + (shape[2] + 2 * rows, shape[3] + 2 * columns)), windows)
        return padded[:, :, rows:rows + shape[2], columns:columns + shape[3]]

    def _settings(self, default: Tuple[int, ...] = (1, 1)) -> Dict[str, Any]:
        return {"stride": self.stride if self.stride != default else None,
                "padding": self.padding if any(self.padding) else None}

    def _places(self) -> List[str]:
        """Return the indices of what the window at i, j holds at p, q."""
        places = [f"{s}*{k}+{o}" if s > 1 else f"{k}+{o}" for s, k, o in zip(self.stride, "ij", "pq")]
        return ["n", "c"] + [f"{place}-{size}" if size else place for place, size in zip(places, self.padding)]


class Convolution(Windowed):
    """out[n,k,i,j] = sum_c,p,q W[k,c,p,q] x[n,c,i+p,j+q]: every place of an image is seen through the same window.

    With a stride s and a padding of P zeros on each side, the window begins at s i - P. (As everywhere in the field, W
    isn't flipped.) Each entry of x went to the places whose windows hold it, so with stride 1

        dL/dx[n,c,i,j] = sum_k,p,q W[k,c,p,q] dL/dout[n,k,i-p+P,j-q+P],

    the full convolution of dL/dout with the kernel rotated by 180 degrees; and each weight met one entry of x at every
    place: dL/dW[k,c,p,q] = sum_n,i,j dL/dout[n,k,i,j] x[n,c,i+p,j+q].
    """

    name = "conv2d"
    shape_rule = ("images (batch, in channels, height, width) and weights (out channels, in channels, kernel height, "
                  "kernel width); the kernel fits into the padded image")

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-1, 1, (2, 1, 3, 4)), rng.uniform(-1, 1, (2, 1, 2, 2)))),
                (cls((2, 1), (1, 0)), (rng.uniform(-1, 1, (1, 2, 4, 3)), rng.uniform(-1, 1, (1, 2, 3, 2)))),
                (cls(2, (0, 2)), (rng.uniform(-1, 1, (1, 1, 3, 2)), rng.uniform(-1, 1, (2, 1, 1, 3))))]

    def forward(self, x, W):
        index, height, width = self._checked_windows(x, W)
        columns = self._padded(x)[index].transpose(1, 2, 3, 0, 4, 5).reshape(W[0].size, -1)
        out = (W.reshape(len(W), -1) @ columns).reshape(len(W), len(x), height, width)
        return np.ascontiguousarray(out.swapaxes(0, 1))

    def backward(self, i, grad, out, x, W):
        index, _, _ = self._windows(x, W.shape[2:])
        if i == 1:
            return np.einsum("nkij,ncpqij->kcpq", grad, self._padded(x)[index])
        return self._scattered(index, x.shape, np.einsum("kcpq,nkij->ncpqij", W, grad))

    def _checked_windows(self, x: Any, W: Any) -> Tuple[Any, int, int]:
        if x.ndim != 4 or W.ndim != 4 or x.shape[1] != W.shape[1]:
            raise InputError(f"the images have shape {x.shape} and the weights {W.shape}")
        return self._windows(x, W.shape[2:])

    # ------------------------------------------------------------------ the notation

    def formula(self, x, W):
        return function(self.name, x, W, **self._settings())

    def definition(self, x, W):
        return equation(entry(self.formula(x, W), "nkij"), sum_over("cpq", entry(W, "kcpq") * self._seen(x)))

    def _seen(self, x: Term) -> Term:
        return entry(x, self._places())

    def derivative(self, i, out, x, W):
        below, factor = ((self._seen(x), entry(W, "kcpq")) if i == 0 else (entry(W, "kcpq"), self._seen(x)))
        return equation(partial(entry(out, "nkij"), below), factor)

    def flow(self, i, grad, out, x, W):
        if i == 1:
            return words(sum_over("nij", entry(grad, "nkij") * self._seen(x)), " for every entry ", entry(W, "kcpq"))
        if max(self.stride) > 1:
            return words("each ", entry(grad, "nkij"), " times ", entry(W, "kcpq"), ", added at ", self._seen(x),
                         ", where the window saw it, over all k, i, j, p, q")
        i, j = (f"{k}-{o}+{size}" if size else f"{k}-{o}" for k, o, size in zip("ij", "pq", self.padding))
        return words(sum_over("kpq", entry(W, "kcpq") * entry(grad, ["n", "k", i, j])), " for every entry ",
                     entry(x, "ncij"), ": the full convolution with the kernel rotated by 180 degrees, zeros outside")
