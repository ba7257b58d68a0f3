"""Recurrent cells and attention."""
import numpy as np

from lib.layers import Linear, Sigmoid
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, slip


@right(lambda rng: rng.standard_normal((2, 1, 3)), awkward="a single step")
@right(lambda rng: rng.standard_normal((2, 4, 3)))
class Elman(Module):
    def __init__(self, i=3, h=2):
        self.Wx = Parameter(0.5 * np.random.randn(i, h), name="Wx")
        self.Wh = Parameter(0.5 * np.random.randn(h, h), name="Wh")
        self.b = Parameter(np.random.randn(h), name="b")

    def forward(self, x):
        self.x = x
        self.hs = [np.zeros((x.shape[0], self.b.data.size))]
        for t in range(x.shape[1]):
            self.hs.append(np.tanh(x[:, t] @ self.Wx.data + self.hs[-1] @ self.Wh.data + self.b.data))
        return self.hs[-1]

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        dh = grad
        for t in reversed(range(self.x.shape[1])):
            da = dh * (1 - self.hs[t + 1] ** 2)
            self.Wx.grad += self.x[:, t].T @ da
            self.Wh.grad += self.hs[t].T @ da
            self.b.grad += da.sum(0)
            dx[:, t] = da @ self.Wx.data.T
            dh = da @ self.Wh.data.T
        return dx

    def parameters(self):
        return [self.Wx, self.Wh, self.b]


slip(Elman, "self.hs[t].T @ da", "self.hs[t + 1].T @ da", "the state after for the state before", "index", "shift",
     "state", "after", "time", "step")
slip(Elman, "(1 - self.hs[t + 1] ** 2)", "(1 - self.hs[t] ** 2)", "tanh' at the step before", "index", "shift", "tanh",
     "time", "step", "place")
slip(Elman, "dh = da @ self.Wh.data.T", "dh = da @ self.Wh.data", "transpose forgotten", "transpos", r"\.T")
slip(Elman, "dh = da @ self.Wh.data.T", "dh = np.zeros_like(da)", "truncated after one step", "time", "step",
     "held constant", "state", "recurren", "zero")
slip(Elman, "reversed(range(self.x.shape[1]))", "range(self.x.shape[1])", "loop not reversed", "order", "revers",
     "loop", "backwards")
slip(Elman, "reversed(range(self.x.shape[1]))", "reversed(range(1, self.x.shape[1]))", "first step skipped", "first",
     "step", "loop", "index", "skip", "time", "zero")
slip(Elman, "self.b.grad += da.sum(0)", "self.b.grad = da.sum(0)", "overwritten at each step", r"\+=", "overwr",
     "accumul", "add")


@right(lambda rng: rng.standard_normal((3, 5)))
class GruCell(Module):
    """One step on [x, h]: the state is the last two columns."""

    def __init__(self, i=3, h=2):
        self.h = h
        self.W = Parameter(np.random.randn(i + h, 2 * h), name="W")
        self.U = Parameter(np.random.randn(i + h, h), name="U")

    def forward(self, xh):
        self.xh = xh
        x, h = xh[:, :-self.h], xh[:, -self.h:]
        gates = 1 / (1 + np.exp(-xh @ self.W.data))
        self.r, self.z = gates[:, :self.h], gates[:, self.h:]
        self.inner = np.hstack([x, self.r * h])
        self.c = np.tanh(self.inner @ self.U.data)
        self.x, self.hprev = x, h
        return (1 - self.z) * h + self.z * self.c

    def backward(self, grad):
        da = grad * self.z * (1 - self.c ** 2)
        self.U.grad += self.inner.T @ da
        dinner = da @ self.U.data.T
        dx, drh = dinner[:, :-self.h], dinner[:, -self.h:]
        dz = grad * (self.c - self.hprev) * self.z * (1 - self.z)
        dr = drh * self.hprev * self.r * (1 - self.r)
        dgates = np.hstack([dr, dz])
        self.W.grad += self.xh.T @ dgates
        dxh = dgates @ self.W.data.T
        dxh[:, :-self.h] += dx
        dxh[:, -self.h:] += grad * (1 - self.z) + drh * self.r
        return dxh

    def parameters(self):
        return [self.W, self.U]


slip(GruCell, "grad * (1 - self.z) + drh * self.r", "grad * (1 - self.z)", "the path through the reset gate missing",
     "missing", "held constant", "path", "place")
slip(GruCell, "(self.c - self.hprev)", "self.c", "h's part of dz missing", "missing", "held constant", "term", "place")
slip(GruCell, "np.hstack([dr, dz])", "np.hstack([dz, dr])", "gates swapped", "swap", "order", "permut")
slip(GruCell, "dr = drh * self.hprev * self.r * (1 - self.r)", "dr = drh * self.r * (1 - self.r)", "factor h left out",
     "left out", "factor", "product")
slip(GruCell, "dxh[:, :-self.h] += dx\n", "pass\n", "x's second place forgotten", "place", "missing", "held constant",
     "path")
slip(GruCell, "* self.z * (1 - self.c ** 2)", "* self.z * (1 - self.c)", "tanh's square missing", "square", "tanh",
     "1 - ")


@right(lambda rng: rng.standard_normal((2, 7)))
class LstmCell(Module):
    def __init__(self, i=3, h=2):
        self.lin = Linear(i + h, 4 * h)
        self.lin.W.data = np.random.randn(i + h, 4 * h)
        self.sig, self.h = Sigmoid(), h

    def forward(self, xhc):
        xh, c = xhc[:, :-self.h], xhc[:, -self.h:]
        a = self.lin(xh)
        self.ifo = self.sig(a[:, :3 * self.h])
        self.g = np.tanh(a[:, 3 * self.h:])
        i, f, o = np.split(self.ifo, 3, axis=1)
        self.c = c
        self.new = f * c + i * self.g
        self.tanh = np.tanh(self.new)
        return np.hstack([o * self.tanh, self.new])

    def backward(self, grad):
        dh, dc = np.split(grad, 2, axis=1)
        i, f, o = np.split(self.ifo, 3, axis=1)
        dc = dc + dh * o * (1 - self.tanh ** 2)
        difo = np.hstack([dc * self.g, dc * self.c, dh * self.tanh])
        dg = dc * i * (1 - self.g ** 2)
        da = np.hstack([self.sig.backward(difo), dg])
        return np.hstack([self.lin.backward(da), dc * f])

    def parameters(self):
        return self.lin.parameters()


slip(LstmCell, "dc = dc + dh * o * (1 - self.tanh ** 2)\n", "dc = dh * o * (1 - self.tanh ** 2)\n",
     "the cell's own upstream forgotten", "upstream", "missing", "path", "held constant", "ignored", "cell")
slip(LstmCell, "dc = dc + dh * o * (1 - self.tanh ** 2)\n", "pass\n", "the path through the output missing", "missing",
     "path", "held constant")
slip(LstmCell, "dc * self.g, dc * self.c", "dc * self.c, dc * self.g", "factors of i and f swapped", "swap", "order",
     "other operand", "place", "permut")
slip(LstmCell, "dh * self.tanh])", "dh * self.new])", "c for tanh(c)", "tanh", "left out", "place", "input for")


@right(normal(2, 3, 4))
class SelfAttention(Module):
    def __init__(self, d=4):
        self.q, self.k, self.v = (Parameter(np.random.randn(d, d) / 2, name=n) for n in "qkv")
        self.scale = d ** -0.5

    def forward(self, x):
        self.x = x
        self.Q, self.K, self.V = x @ self.q.data, x @ self.k.data, x @ self.v.data
        s = np.einsum("bid,bjd->bij", self.Q, self.K) * self.scale
        s = np.exp(s - s.max(-1, keepdims=True))
        self.A = s / s.sum(-1, keepdims=True)
        return self.A @ self.V

    def backward(self, grad):
        dV = np.einsum("bij,bid->bjd", self.A, grad)
        dA = np.einsum("bid,bjd->bij", grad, self.V)
        dS = self.A * (dA - (dA * self.A).sum(-1, keepdims=True)) * self.scale
        dQ = dS @ self.K
        dK = dS.transpose(0, 2, 1) @ self.Q
        for p, d in ((self.q, dQ), (self.k, dK), (self.v, dV)):
            p.grad += np.einsum("bti,btj->ij", self.x, d)
        return dQ @ self.q.data.T + dK @ self.k.data.T + dV @ self.v.data.T

    def parameters(self):
        return [self.q, self.k, self.v]


slip(SelfAttention, "dS.transpose(0, 2, 1) @ self.Q", "dS @ self.Q", "transpose forgotten", "transpos", "axes", r"\.T")
slip(SelfAttention, "keepdims=True)) * self.scale\n        dQ", "keepdims=True))\n        dQ", "scale left out",
     "scale", "left out", "factor", "0.5", "half", "twice")
slip(SelfAttention, '"bij,bid->bjd"', '"bij,bjd->bid"', "transpose of A forgotten", "transpos", "axes", r"\.T")
slip(SelfAttention, " + dK @ self.k.data.T + dV", " + dV", "x's place in the keys forgotten", "key", "missing",
     "held constant", "place", "path")
slip(SelfAttention, "dA - (dA * self.A).sum(-1, keepdims=True)", "dA", "softmax's sum held constant", "held constant",
     "sum", "softmax", "normal")
slip(SelfAttention, "(dA * self.A).sum(-1, keepdims=True)", "(dA * self.A).sum(-2, keepdims=True)",
     "wrong axis in the softmax", "axis")
slip(SelfAttention, "dQ @ self.q.data.T", "dQ @ self.q.data", "transpose forgotten", "transpos", r"\.T")


@right(normal(2, 4, 4), awkward="a causal mask with -inf")
class CausalAttentionPooling(Module):
    def forward(self, s):
        t = s.shape[-1]
        masked = np.where(np.tril(np.ones((t, t), dtype=bool)), s, -np.inf)
        e = np.exp(masked - masked.max(-1, keepdims=True))
        self.p = e / e.sum(-1, keepdims=True)
        return self.p

    def backward(self, grad):
        return self.p * (grad - (self.p * grad).sum(-1, keepdims=True))


slip(CausalAttentionPooling, "(self.p * grad).sum(-1", "grad.sum(-1", "p missing in the sum", "left out", "factor",
     "softmax", "log")


@right(normal(2, 3, 3), awkward="outputs of -inf")
class CausalMaskOnly(Module):
    def forward(self, s):
        self.mask = np.triu(np.ones(s.shape[-2:], dtype=bool), 1)
        return np.where(self.mask, -np.inf, s)

    def backward(self, grad):
        return np.where(self.mask, 0, grad)


@right(given([[0, 2, 2], [1, 0, 2]]), awkward="integers")
@right(given([[0.0, 2.0, 2.0], [1.0, 0.0, 2.0]]), awkward="ids handed over as floats")
class OneHotEmbedding(Module):
    def __init__(self, v=3, d=2):
        self.E = Parameter(np.random.randn(v, d), name="E")

    def forward(self, ids):
        self.hot = (ids[..., None] == np.arange(len(self.E.data))) * 1.0
        return self.hot @ self.E.data

    def backward(self, grad):
        self.E.grad += np.einsum("ntv,ntd->vd", self.hot, grad)
        return np.zeros(self.hot.shape[:-1])

    def parameters(self):
        return [self.E]


slip(OneHotEmbedding, "self.E.grad += np.einsum(\"ntv,ntd->vd\", self.hot, grad)",
     "self.E.grad[self.hot.argmax(-1)] = grad", "repeated ids overwrite", "repeat", r"\+=", "overwr", "add", "accumul")
