"""Wrong embeddings and attention, as students write them."""
from __future__ import annotations

import numpy as np

from lib.layers.attention import MultiHeadSelfAttention, SelfAttention
from lib.layers.embedding import Embedding, PositionalEmbedding
from lib.layers.attention import transpose
from tests.mutants.bank import mutant


@mutant("wrong_formula", "single_entries", "one_sample")
class EmbeddingAddsOnce(Embedding):
    """W.grad[x] += grad adds to a row only once, however often it occurs."""

    def backward(self, grad):
        self.W.grad[self.input_cache] += grad
        return np.zeros(self.input_cache.shape)


@mutant("overwritten")
class EmbeddingOverwrites(Embedding):
    """Assigned, not added."""

    def backward(self, grad):
        self._zero_grad()
        return super().backward(grad)


@mutant("zeros")
class EmbeddingLearnsNothing(Embedding):
    """A selection has no derivative, so the table gets none either."""

    def backward(self, grad):
        return np.zeros(self.input_cache.shape)


@mutant("single_entries", "zeros", "one_sample")
class EmbeddingForgetsTheFirstPlace(Embedding):
    """A loop over the places that starts at 1."""

    def backward(self, grad):
        rows, places = grad.reshape(-1, self.embedding_dim), self.input_cache.reshape(-1)
        for n in range(1, len(places)):
            self.W.grad[places[n]] += rows[n]
        return np.zeros(self.input_cache.shape)


@mutant("zeros")
class PositionalEmbeddingConstant(PositionalEmbedding):
    """The positions are taken as constants."""

    def backward(self, grad):
        return grad.copy()


@mutant("mean_for_sum", situation=lambda cls, rng: (cls(3, 2, rng=rng), (rng.normal(size=(4, 3, 2)),)))
class PositionalEmbeddingMean(PositionalEmbedding):
    """The mean over the batch, where the sum belongs."""

    def backward(self, grad):
        self.W.grad[:grad.shape[1]] += grad.mean(axis=0)
        return grad.copy()


class AttentionByHand(SelfAttention):
    """The right backward pass, one method for each product, for the mutants to replace."""

    def through_softmax(self, A, grad_A):
        return A * (grad_A - (A * grad_A).sum(axis=-1, keepdims=True))

    def to_scores(self, Q, K, grad_S):
        return grad_S @ K / np.sqrt(Q.shape[-1]), transpose(grad_S) @ Q / np.sqrt(Q.shape[-1])

    def to_values(self, A, G):
        return transpose(A) @ G

    def joined(self, ways):
        return sum(ways)

    def backward(self, grad):
        x, Q, K, V = self.input_cache
        G = self._split(grad, x)
        grad_S = self.through_softmax(self.weights, G @ transpose(V))
        grads = self.to_scores(Q, K, grad_S) + (self.to_values(self.weights, G),)
        layers = self.query, self.key, self.value
        return self.joined([layer.backward(self._merge(g)) for layer, g in zip(layers, grads)]).reshape(x.shape)


@mutant("wrong_formula", "factor", "term_missing")
class AttentionForgetsRoot(AttentionByHand):
    """1 / sqrt(d) is missing on the way back."""

    def to_scores(self, Q, K, grad_S):
        return grad_S @ K, transpose(grad_S) @ Q


@mutant("transposed")
class AttentionKeysNotTransposed(AttentionByHand):
    """dL/dS isn't transposed for the keys."""

    def to_scores(self, Q, K, grad_S):
        return grad_S @ K / np.sqrt(Q.shape[-1]), grad_S @ Q / np.sqrt(Q.shape[-1])


@mutant("transposed")
class AttentionValuesNotTransposed(AttentionByHand):
    """A isn't transposed for the values."""

    def to_values(self, A, G):
        return A @ G


@mutant("softmax_diagonal")
class AttentionSoftmaxDiagonal(AttentionByHand):
    """Softmax is taken for an elementwise function."""

    def through_softmax(self, A, grad_A):
        return A * (1 - A) * grad_A


@mutant("term_missing", "wrong_formula")
class AttentionInputFromValues(AttentionByHand):
    """x goes three ways, but only the one through the values comes back."""

    def joined(self, ways):
        return ways[2]


@mutant("wrong_formula", "transposed")
class AttentionSwapsQueryAndKey(AttentionByHand):
    """The gradients of the queries and of the keys are swapped."""

    def to_scores(self, Q, K, grad_S):
        return super().to_scores(Q, K, grad_S)[::-1]


@mutant("wrong_axis", "wrong_formula")
class AttentionSoftmaxOverColumns(AttentionByHand):
    """The sum in the softmax's derivative runs over the queries, not over the keys."""

    def through_softmax(self, A, grad_A):
        return A * (grad_A - (A * grad_A).sum(axis=-2, keepdims=True))


@mutant("overwritten")
class AttentionOverwrites(AttentionByHand):
    """The gradients of before are lost."""

    def backward(self, grad):
        self._zero_grad()
        return super().backward(grad)


@mutant("zeros")
class MultiHeadForgetsOutput(MultiHeadSelfAttention):
    """The layer that joins the heads gets no gradient."""

    def backward(self, grad):
        kept = [parameter.grad for parameter in self.output.parameters()]
        before = [g.copy() for g in kept]
        grad_input = super().backward(grad)
        for g, old in zip(kept, before):
            g[...] = old
        return grad_input
