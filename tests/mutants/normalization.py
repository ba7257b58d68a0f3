"""Wrong normalisation layers, as students write them: y = gamma xhat + beta, xhat = (x - mean) / sqrt(var + eps)."""
from __future__ import annotations

from lib.layers.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from tests.mutants.bank import mutant


@mutant("statistics_constant", "term_missing")
class BatchNormStatisticsConstant(BatchNorm1d):
    """Mean and variance are taken as constants, as they are in evaluation mode."""

    def backward(self, grad):
        super().backward(grad)
        _, scale, _ = self.input_cache
        return grad * self.gamma.data * scale


@mutant("term_missing", "statistics_constant", "wrong_formula")
class BatchNormVarianceConstant(BatchNorm1d):
    """The way through the mean is there, the one through the variance is missing."""

    def backward(self, grad):
        super().backward(grad)
        _, scale, _ = self.input_cache
        g = grad * self.gamma.data
        return (g - g.mean(axis=0)) * scale


@mutant("term_missing", "statistics_constant", "wrong_formula")
class BatchNormMeanConstant(BatchNorm1d):
    """The way through the variance is there, the one through the mean is missing."""

    def backward(self, grad):
        super().backward(grad)
        xhat, scale, _ = self.input_cache
        g = grad * self.gamma.data
        return (g - xhat * (g * xhat).mean(axis=0)) * scale


@mutant("term_missing", "wrong_formula")
class BatchNormForgetsGamma(BatchNorm1d):
    """The factor gamma is missing on the way to the input."""

    def backward(self, grad):
        gamma = self.gamma.data
        grad_input = super().backward(grad)
        return grad_input / gamma


@mutant("wrong_formula", "term_missing")
class BatchNormGammaAsBeta(BatchNorm1d):
    """gamma gets the sum of grad, without xhat."""

    def backward(self, grad):
        before = self.gamma.grad.copy()
        grad_input = super().backward(grad)
        self.gamma.grad = before + grad.sum(axis=0)
        return grad_input


@mutant("overwritten")
class BatchNormOverwrites(BatchNorm1d):
    """Assigned, not added."""

    def backward(self, grad):
        self._zero_grad()
        return super().backward(grad)


@mutant("wrong_formula", "term_missing", "factor", example=2)
class BatchNormEvaluatesWithTheBatch(BatchNorm1d):
    """In evaluation mode, the gradient is multiplied by the deviation, not divided by it."""

    def backward(self, grad):
        _, scale, _ = self.input_cache
        return super().backward(grad) / scale ** 2


@mutant("wrong_axis", "wrong_shape", "statistics_constant", "wrong_formula")
class BatchNorm2dBatchOnly(BatchNorm2d):
    """The means of the backward pass are taken over the batch alone, and not over the pixels."""

    def backward(self, grad):
        super().backward(grad)
        xhat, scale, _ = self.input_cache
        g = grad * self.gamma.data[:, None, None]
        return (g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) * scale


@mutant("wrong_axis", "wrong_formula")
class LayerNormOverTheBatch(LayerNorm):
    """The means of the backward pass are taken over the batch, as in batch normalisation."""

    def backward(self, grad):
        super().backward(grad)
        xhat, scale = self.input_cache
        g = grad * self.gamma.data
        return (g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) * scale


@mutant("no_batch_sum", "wrong_shape")
class LayerNormBetaPerExample(LayerNorm):
    """beta gets the gradient as it is, one row for each example."""

    def backward(self, grad):
        grad_input = super().backward(grad)
        self.beta.grad = grad.copy()
        return grad_input


@mutant("changes_upstream")
class LayerNormScalesInPlace(LayerNorm):
    """The upstream gradient itself is multiplied by gamma."""

    def backward(self, grad):
        grad_input = super().backward(grad)
        grad *= self.gamma.data
        return grad_input


@mutant("statistics_constant", "term_missing")
class LayerNormStatisticsConstant(LayerNorm):
    """Mean and variance are taken as constants."""

    def backward(self, grad):
        super().backward(grad)
        _, scale = self.input_cache
        return grad * self.gamma.data * scale


@mutant("zeros")
class LayerNormForgetsGamma(LayerNorm):
    """gamma gets no gradient."""

    def backward(self, grad):
        before = self.gamma.grad.copy()
        grad_input = super().backward(grad)
        self.gamma.grad = before
        return grad_input


@mutant("sign")
class LayerNormSign(LayerNorm):
    """beta is taken to be subtracted."""

    def backward(self, grad):
        before = self.beta.grad.copy()
        grad_input = super().backward(grad)
        self.beta.grad = before - grad.sum(axis=0)
        return grad_input


@mutant("mean_for_sum")
class BatchNormMeansOfParameters(BatchNorm1d):
    """The mean over the batch, where the sum belongs."""

    def backward(self, grad):
        before = [parameter.grad.copy() for parameter in self.parameters()]
        grad_input = super().backward(grad)
        for parameter, old in zip(self.parameters(), before):
            parameter.grad = old + (parameter.grad - old) / len(grad)
        return grad_input
