"""What grading calls in the sheet on computational graphs: a student's nodes between leaves, and expressions."""
import numpy as np

from exercises import pen_and_paper
from exercises.computational_graphs import expressions
from lib.graph import edf
from lib.graph.edf import sheet


class Leaf(edf.CompNode):
    """A node with a value, which keeps the gradient that it is handed."""

    def __init__(self, value):
        self.value, self.grad = value, np.zeros(value.shape)


def l2_forward(y, y_hat):
    """Return the value of L2Loss."""
    node = sheet.L2Loss(Leaf(y), Leaf(y_hat))
    node.forward()
    return node.value


def l2_backward(y, y_hat, grad):
    """Return the gradient that L2Loss hands to y_hat; what it hands to y, the labels, doesn't matter."""
    leaf = Leaf(y_hat)
    return handed_to(leaf, sheet.L2Loss(Leaf(y), leaf), grad)


def vector_forward(z):
    """Return the value of SingleProbToProbVector."""
    node = sheet.SingleProbToProbVector(Leaf(z))
    node.forward()
    return node.value


def vector_backward(z, grad):
    """Return the gradient that SingleProbToProbVector hands to its input."""
    leaf = Leaf(z)
    return handed_to(leaf, sheet.SingleProbToProbVector(leaf), grad)


def handed_to(leaf, node, grad):
    """Return a leaf's gradient after a forward and a backward pass of a node; it had one before."""
    node.forward()
    leaf.grad += 1
    node.grad = grad
    node.backward()
    return leaf.grad - 1


def vector_function(x):
    """Return the entries of f(x)."""
    return [node.value for node in expressions.vector_function(*expressions.variables("x", x))]


def expression_a(a, b):
    """Return the value of A."""
    return pen_and_paper.expression_a(a, b).value


def expression_b(a, b, c):
    """Return the value of B."""
    return pen_and_paper.expression_b(a, b, c).value


def expression_c(w0, w1, x, y):
    """Return the value of C."""
    return pen_and_paper.expression_c(w0, w1, x, y).value
