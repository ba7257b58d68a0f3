"""The sum of products that subscripts describe: einsum."""
from __future__ import annotations

from typing import List, Sequence, Tuple

import numpy as np

from lib.graph.notation import Term, entry, number, product_of, words
from lib.graph.operations import Operation

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Einsum(Operation):
    """out = the sum of products that subscripts say, such as ij,jk->ik, each letter once in each input.

    The derivative by an input is the product of the others: backward is the sum of products of grad and the others over
    the letters that this input lacks. Along a letter that it alone has, each of its entries gets the same.
    """

    name, shape_rule, broadcasts = "einsum", "one axis for each letter of the output", True

    def __init__(self, letters: Sequence[str], output: str) -> None:
        self.letters, self.output = tuple(letters), output

    @classmethod
    def examples(cls, rng):
        return [(cls(("ij", "jk"), "ik"), (rng.uniform(-1, 1, (2, 3)), rng.uniform(-1, 1, (3, 2)))),
                (cls(("bij", "bj", "i"), "b"), tuple(rng.uniform(-1, 1, shape) for shape in ((2, 3, 2), (2, 2), (3,)))),
                (cls(("ij",), "j"), (rng.uniform(-1, 1, (2, 3)),))]

    def forward(self, *inputs):
        return np.asarray(np.einsum(f"{','.join(self.letters)}->{self.output}", *inputs, optimize=True))[()]

    def backward(self, i, grad, out, *inputs):
        others = [k for k in range(len(inputs)) if k != i]
        known = set(self.output).union(*(self.letters[k] for k in others))
        kept = "".join(letter for letter in self.letters[i] if letter in known)
        subscripts = ",".join([self.output] + [self.letters[k] for k in others])
        result = np.einsum(f"{subscripts}->{kept}", grad, *(inputs[k] for k in others))
        sizes = dict(zip(kept, np.shape(result)))
        shape = tuple(sizes.get(letter, 1) for letter in self.letters[i])
        full = tuple(sizes.get(letter, size) for letter, size in zip(self.letters[i], inputs[i].shape))
        return np.broadcast_to(result.reshape(shape), full)

    def formula(self, *names):
        return Term("call", ("einsum", (words(repr(",".join(self.letters) + "->" + self.output)), *names), ()), None)

    def derivative(self, i, out, *names):
        others = [entry(each, letters) for k, (each, letters) in enumerate(zip(names, self.letters)) if k != i]
        return product_of(others) if others else number(1)

    def flow(self, i, grad, out, *names):
        others = [k for k in range(len(names)) if k != i]
        subscripts = ",".join([self.output] + [self.letters[k] for k in others]) + "->" + self.letters[i]
        if not set(self.letters[i]) <= set(subscripts.partition("->")[0]):
            return words(grad, f" with the subscripts {subscripts}, the same along letters at the right only")
        inputs = (words(repr(subscripts)), grad, *(names[k] for k in others))
        return Term("call", ("einsum", inputs, ()), names[i].shape)


def explicit(subscripts: str, ndims: Sequence[int]) -> Tuple[List[str], str]:
    """Return the letters of each input and of the output, with letters in place of "..." and an output in any case.

    >>> explicit("...i,ij", [3, 2])
    (['ABi', 'ij'], 'ABj')
    """
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ndims):
        raise ValueError(f"einsum got {len(ndims)} inputs for the subscripts of {len(inputs)}.")
    free = [letter for letter in _LETTERS if letter not in subscripts]
    counts = [ndim - len(letters.replace("...", "")) for letters, ndim in zip(inputs, ndims) if "..." in letters]
    dots = "".join(free[:max(counts + [0])])
    full = [letters.replace("...", dots[len(dots) - (ndim - len(letters.replace("...", ""))):])
            for letters, ndim in zip(inputs, ndims)]
    if not arrow:
        once = sorted(letter for letter in set(left) - set(".,") if left.count(letter) == 1)
        output = "..." * bool(dots) + "".join(once)
    return full, output.replace("...", dots)
