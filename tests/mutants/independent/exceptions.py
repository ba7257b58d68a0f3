"""Code that raises, or hands out the wrong kind of thing."""
import numpy as np

from lib.layers import Linear
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import normal, right, slip


@right(normal(4, 3))
class Dense(Module):
    def __init__(self, i=3, o=2):
        self.W = Parameter(np.random.randn(i, o), name="W")
        self.b = Parameter(np.random.randn(o), name="b")

    def forward(self, x):
        self.x = x
        return x @ self.W.data + self.b.data

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T

    def parameters(self):
        return [self.W, self.b]


slip(Dense, "return grad @ self.W.data.T", "return grad @ self.W.T", "W.T for W.data.T", r"W\.data")
slip(Dense, "return grad @ self.W.data.T", "return gradient @ self.W.data.T", "a NameError", "gradient", "name")
slip(Dense, "return grad @ self.W.data.T", "dx = grad @ self.W.data.T", "nothing returned", "return")
slip(Dense, "return grad @ self.W.data.T", "return grad @ self.W.data.T, self.W.grad", "a tuple returned", "tuple")
slip(Dense, "grad.sum(axis=0)", "grad.sum(axis=0, keepdims=True)", "keepdims", "keepdims")
slip(Dense, "grad.sum(axis=0)", "grad.sum(axis=1)", "wrong axis", "axis")
slip(Dense, "grad.sum(axis=0)", "grad", "not summed over the batch", "sum")
slip(Dense, "self.x.T @ grad", "self.x @ grad", "transpose forgotten", "transpos", r"\.T")
slip(Dense, "self.x.T @ grad", "grad.T @ self.x", "transposed result", "transpos", "order", r"\.T")
slip(Dense, "self.x.T @ grad", "self.x.T * grad", "* for @", "@", "matrix product", "elementwise")
slip(Dense, "self.W.grad += self.x.T @ grad", "self.W.grad += self.x.T @ grad / len(grad)", "divided by the batch size",
     "batch", "mean", "factor")
slip(Dense, "return grad @ self.W.data.T", "return grad @ self.W.grad.T", "the gradient for the values", "grad")
slip(Dense, "return grad @ self.W.data.T", "return self.x @ self.W.data @ self.W.data.T",
     "the output for the upstream gradient", "upstream", "output")
slip(Dense, "def backward(self, grad):", "def backward(self, x, grad):", "one argument too many", "argument")
slip(Dense, "def backward(self, grad):\n", "def backward(self, grad):\n        if grad:\n            pass\n",
     "an ambiguous if", "if", "ambiguous")
slip(Dense, "self.x = x", "self.cache = x", "the cache has another name", "self.x", "attribute", "forward")
slip(Dense, "self.b.grad += grad.sum(axis=0)", "self.b.grad += grad[4]", "index out of range", "index")
slip(Dense, "return [self.W, self.b]", "return self.W, self.bias", "an attribute that isn't there", "bias")
slip(Dense, "return [self.W, self.b]", "return None", "parameters returns None", r"parameters\(\)", "None")
slip(Dense, "return [self.W, self.b]", "return self.W", "one Parameter for a list", r"parameters\(\)", "list")
slip(Dense, "return grad @ self.W.data.T", "return (grad @ self.W.data.T).sum(axis=0)", "dx summed over the batch",
     "sum", "batch", "shape")
slip(Dense, "return grad @ self.W.data.T", "return list(grad @ self.W.data.T)", "a list for an array", "list")
slip(Dense, "return grad @ self.W.data.T", "return grad @ self.W.data.T * np.nan", "NaN", "nan")
slip(Dense, "return grad @ self.W.data.T", "return (grad @ self.W.data.T).astype(int)", "cut to whole numbers", "whole",
     "int", "round")
slip(Dense, "self.b.grad += grad.sum(axis=0)",
     "self.b.data -= 0.1 * grad.sum(axis=0)\n        self.b.grad += grad.sum(axis=0)", "a step inside backward",
     "value", "changes", "data", "step", "optimi")
slip(Dense, "self.x = x\n", "self.x = x\n        self.W.data = np.clip(self.W.data, -0.5, 0.5)\n",
     "forward clips the weights", "forward", "changes", "clip", "value")


@right(normal(4, 3))
class Wrapper(Module):
    def __init__(self):
        self.inner = [Linear(3, 3), Linear(3, 2)]

    def forward(self, x):
        for m in self.inner:
            x = m(x)
        return x

    def backward(self, grad):
        for m in reversed(self.inner):
            grad = m.backward(grad)
        return grad

    def parameters(self):
        return [p for m in self.inner for p in m.parameters()]


slip(Wrapper, "reversed(self.inner)", "self.inner", "not reversed", "revers", "order")
slip(Wrapper, "grad = m.backward(grad)", "m.backward(grad)", "gradient not handed on", "hand", "pass", "return",
     "same grad", "assign", "upstream", "next", "chain")
slip(Wrapper, "grad = m.backward(grad)", "grad = m.forward(grad)", "forward for backward", "forward")
slip(Wrapper, "[p for m in self.inner for p in m.parameters()]", "self.inner[0].parameters()",
     "second layer's parameters missing", r"parameters\(\)")
slip(Wrapper, "[p for m in self.inner for p in m.parameters()]", "[m.parameters() for m in self.inner]",
     "a list of lists", "list", "flat", r"parameters\(\)")
slip(Wrapper, "for m in reversed(self.inner):", "self.inner.reverse()\n        for m in self.inner:",
     "reversed in place", "order", "revers", "in place", "second", "again", "next forward")
slip(Wrapper, "reversed(self.inner)", "self.inner[:0:-1]", "the first layer left out", "first", "left out", "never",
     "zero", "Linear", "isn't called")
slip(Wrapper, "grad = m.backward(grad)", "grad = m.backward(grad) / len(grad)",
     "divided by the batch size at each layer", "batch", "mean", "factor")
