"""Wrong Linear layers, as students write them, z = x W + b: shapes, sums and factors."""
from __future__ import annotations

import numpy as np

from lib.network import Linear
from tests.mutants.bank import mutant


def square(cls, rng):
    """Return a situation with as many inputs as outputs, where a transposition isn't seen by the shapes."""
    return cls(4, 4, rng=rng), (rng.normal(size=(3, 4)),)


def batch_of_four(cls, rng):
    """Return a situation with four examples, so that one of them isn't half of all."""
    return cls(3, 2, rng=rng), (rng.normal(size=(4, 3)),)


@mutant("transposed", situation=square)
class LinearInputNotTransposed(Linear):
    """grad W for grad W^T, unseen because W is square."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data


@mutant("exception", "transposed")
class LinearInputShapes(Linear):
    """The same, where W isn't square: the product raises."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data


@mutant("transposed", situation=square)
class LinearWeightsTransposed(Linear):
    """The order of the factors is reversed: grad^T x is the transpose of x^T grad."""

    def backward(self, grad):
        self.W.grad += grad.T @ self.input_cache
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("exception", "transposed")
class LinearWeightsShapes(Linear):
    """The same, where W isn't square: NumPy can't add the two."""

    def backward(self, grad):
        self.W.grad += np.dot(grad.T, self.input_cache)
        self.b.grad += np.sum(grad, axis=0)
        return np.dot(grad, self.W.data.T)


@mutant("wrong_shape", "transposed")
class LinearWeightsTransposedAssigned(Linear):
    """The same once more, assigned, so that nothing complains."""

    def backward(self, grad):
        self.W.grad = np.dot(grad.T, self.input_cache)
        self.b.grad += np.sum(grad, axis=0)
        return np.dot(grad, self.W.data.T)


@mutant("exception", "transposed")
class LinearForgetsTranspose(Linear):
    """x grad without any transposition."""

    def backward(self, grad):
        self.W.grad += self.input_cache @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("exception", "transposed")
class LinearColumnConvention(Linear):
    """W^T grad, as it stands in books whose examples are columns."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return self.W.data @ grad


@mutant("exception", "no_batch_sum")
class LinearBiasWithoutSum(Linear):
    """dz/db = 1, so the bias gets the gradient as it is."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad
        return grad @ self.W.data.T


@mutant("no_batch_sum", "wrong_shape")
class LinearBiasWithoutSumAssigned(Linear):
    """The same, without +=: the bias gradient takes the shape of the batch."""

    def backward(self, grad):
        self.W.grad = self.W.grad + self.input_cache.T @ grad
        self.b.grad = self.b.grad + grad
        return grad @ self.W.data.T


@mutant("wrong_shape")
class LinearBiasKeepdims(Linear):
    """The sum keeps its axis: (1, out) for (out,)."""

    def backward(self, grad):
        self.W.grad = self.W.grad + self.input_cache.T @ grad
        self.b.grad = self.b.grad + grad.sum(axis=0, keepdims=True)
        return grad @ self.W.data.T


@mutant("mean_for_sum")
class LinearBiasMean(Linear):
    """The mean over the batch: but the loss has divided by N already."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.mean(axis=0)
        return grad @ self.W.data.T


@mutant("mean_for_sum", situation=batch_of_four)
class LinearAllMean(Linear):
    """Both parameters are averaged over the batch."""

    def backward(self, grad):
        n = len(grad)
        self.W.grad += self.input_cache.T @ grad / n
        self.b.grad += grad.sum(axis=0) / n
        return grad @ self.W.data.T


@mutant("changes_upstream", "mean_for_sum", situation=batch_of_four)
class LinearAveragesInPlace(Linear):
    """The upstream gradient itself is divided by N."""

    def backward(self, grad):
        grad /= len(grad)
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("overwritten")
class LinearOverwrites(Linear):
    """Assigned, not added: zero_grad takes no effect, and neither does a second pass."""

    def backward(self, grad):
        self.W.grad = self.input_cache.T @ grad
        self.b.grad = grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("overwritten")
class LinearBiasOverwrites(Linear):
    """Only the bias is assigned."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad = grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("overwritten")
class LinearZeroesFirst(Linear):
    """Resets its gradients by itself before it adds."""

    def backward(self, grad):
        self._zero_grad()
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("overwritten", "factor")
class LinearAddsTwice(Linear):
    """W.grad += W.grad + ...: what was there is counted twice."""

    def backward(self, grad):
        self.W.grad += self.W.grad + self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("sign")
class LinearSubtracts(Linear):
    """Gradient descent subtracts, so backward does."""

    def backward(self, grad):
        self.W.grad -= self.input_cache.T @ grad
        self.b.grad -= grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("factor")
class LinearWeightsTwice(Linear):
    """The line stands there twice."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("factor", situation=batch_of_four)
class LinearDividesByFeatures(Linear):
    """Averaged over the input features."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad / self.in_features
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("wrong_axis", situation=lambda cls, rng: (cls(4, 3, rng=rng), (rng.normal(size=(3, 4)),)))
class LinearBiasRowSums(Linear):
    """Summed over axis 1; with three examples and three outputs, NumPy doesn't complain."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=1)
        return grad @ self.W.data.T


@mutant("wrong_axis")
class LinearBiasSumsAll(Linear):
    """np.sum without an axis: one number for all biases."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.sum(grad)
        return grad @ self.W.data.T


@mutant("one_sample", situation=batch_of_four)
class LinearBiasFirstSample(Linear):
    """grad[0] has the right shape."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad[0]
        return grad @ self.W.data.T


@mutant("one_sample", situation=batch_of_four)
class LinearOuterOfLast(Linear):
    """An outer product in a loop that assigns: the last example remains."""

    def backward(self, grad):
        for x_n, grad_n in zip(self.input_cache, grad):
            product = np.outer(x_n, grad_n)
        self.W.grad += product
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("one_sample", situation=batch_of_four)
class LinearLoopTooShort(Linear):
    """The loop over the batch ends one example too early."""

    def backward(self, grad):
        for n in range(len(grad) - 1):
            self.W.grad += np.outer(self.input_cache[n], grad[n])
            self.b.grad += grad[n]
        return grad @ self.W.data.T


@mutant("zeros")
class LinearForgetsBias(Linear):
    """The bias gets no gradient."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        return grad @ self.W.data.T


@mutant("zeros")
class LinearForgetsParameters(Linear):
    """Only what is returned is computed."""

    def backward(self, grad):
        return grad @ self.W.data.T


@mutant("zeros")
class LinearLocalVariable(Linear):
    """The gradients stand in variables, and never reach the parameters."""

    def backward(self, grad):
        W_grad, b_grad = self.W.grad, self.b.grad
        W_grad = W_grad + self.input_cache.T @ grad
        b_grad = b_grad + grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("upstream_ignored")
class LinearBiasOnes(Linear):
    """dz/db = 1."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.ones(self.out_features)
        return grad @ self.W.data.T


@mutant("upstream_ignored", situation=square)
class LinearWeightsAreInput(Linear):
    """dz/dW = x, so the gradient is x, summed over the batch."""

    def backward(self, grad):
        self.W.grad += self.input_cache.sum(axis=0)[:, np.newaxis]
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("passed_on", "wrong_formula", situation=square)
class LinearPassesOn(Linear):
    """The parameters are right, and the gradient is handed on as it came."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad


@mutant("wrong_shape", "passed_on")
class LinearPassesOnWrongShape(Linear):
    """The same, where the shapes differ."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad


@mutant("returned_none")
class LinearReturnsNothing(Linear):
    """The parameters are right, and the return is missing."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        grad = grad @ self.W.data.T


@mutant("wrong_shape", "wrong_formula")
class LinearReturnsWeightGradient(Linear):
    """Returns dL/dW, as that was computed last."""

    def backward(self, grad):
        self.b.grad += grad.sum(axis=0)
        dW = self.input_cache.T @ grad
        self.W.grad += dW
        return dW
