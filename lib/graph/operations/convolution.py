"""The convolution of images, as textbooks write it: a sum over the positions in a window."""
from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np

from lib.graph.notation import Term, entry, equation, partial, sum_over, words
from lib.graph.notation import call as function
from lib.graph.operations import Operation, call
from lib.graph.operations.shapes import Scatter
from lib.validation import InputError


class Convolution(Operation):
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

    def __init__(self, stride: Any = (1, 1), padding: Any = (0, 0)) -> None:
        self.stride, self.padding = (tuple(np.broadcast_to(pair, 2).tolist()) for pair in (stride, padding))

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-1, 1, (2, 1, 3, 4)), rng.uniform(-1, 1, (2, 1, 2, 2)))),
                (cls((2, 1), (1, 0)), (rng.uniform(-1, 1, (1, 2, 4, 3)), rng.uniform(-1, 1, (1, 2, 3, 2)))),
                (cls(2, (0, 2)), (rng.uniform(-1, 1, (1, 1, 3, 2)), rng.uniform(-1, 1, (2, 1, 1, 3))))]

    def forward(self, x, W):
        index, height, width = self._windows(x, W)
        columns = self._padded(x)[index].transpose(1, 2, 3, 0, 4, 5).reshape(W[0].size, -1)
        out = (W.reshape(len(W), -1) @ columns).reshape(len(W), len(x), height, width)
        return np.ascontiguousarray(out.swapaxes(0, 1))

    def backward(self, i, grad, out, x, W):
        index, _, _ = self._windows(x, W)
        if i == 1:
            return np.einsum("nkij,ncpqij->kcpq", grad, self._padded(x)[index])
        rows, columns = self.padding
        padded = x.shape[:2] + (x.shape[2] + 2 * rows, x.shape[3] + 2 * columns)
        grad_padded = call(Scatter(index, padded), np.einsum("kcpq,nkij->ncpqij", W, grad))
        return grad_padded[:, :, rows:rows + x.shape[2], columns:columns + x.shape[3]]

    def _padded(self, x: Any) -> Any:
        rows, columns = self.padding
        return np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns))) if any(self.padding) else x

    def _windows(self, x: Any, W: Any) -> Tuple[Any, int, int]:
        """Return the index that gives every window, (batch, in, kh, kw, height, width), and how many there are."""
        if x.ndim != 4 or W.ndim != 4 or x.shape[1] != W.shape[1]:
            raise InputError(f"the images have shape {x.shape} and the weights {W.shape}")
        sizes = [n + 2 * padding - k for n, padding, k in zip(x.shape[2:], self.padding, W.shape[2:])]
        if min(sizes) < 0:
            raise InputError(f"the kernel {W.shape[2:]} is larger than the images {x.shape[2:]}, padded by "
                             f"{self.padding}")
        height, width = (size // stride + 1 for size, stride in zip(sizes, self.stride))
        p, q, i, j = np.ogrid[:W.shape[2], :W.shape[3], :height, :width]
        return (slice(None), slice(None), i * self.stride[0] + p, j * self.stride[1] + q), height, width

    # ------------------------------------------------------------------ the notation

    def _settings(self) -> Dict[str, Any]:
        return {"stride": self.stride if max(self.stride) > 1 else None,
                "padding": self.padding if any(self.padding) else None}

    def formula(self, x, W):
        return function(self.name, x, W, **self._settings())

    def definition(self, x, W):
        return equation(entry(self.formula(x, W), "nkij"), sum_over("cpq", entry(W, "kcpq") * self._seen(x)))

    def _seen(self, x: Term) -> Term:
        """Return the entry of x that the window at i, j holds at p, q."""
        places = [f"{s}*{k}+{o}" if s > 1 else f"{k}+{o}" for s, k, o in zip(self.stride, "ij", "pq")]
        return entry(x, ["n", "c"] + [f"{place}-{size}" if size else place
                                      for place, size in zip(places, self.padding)])

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
