"""grad, jacobian, hessian, and products with the Jacobian: against formulas and against each other."""
from __future__ import annotations

import numpy as np
import pytest

from lib.graph import (constant, derivatives, exp, grad, hessian, jacobian, jvp, log, sigmoid, sin, sqrt, stack, sum,
                       tanh, variable, vjp)
from lib.graph import Node, expanded
from lib.network import Linear
from lib.validation import InputError


def test_higher_derivatives_of_a_power():
    f, expected = (lambda x: x ** 5), [5 * 2.0 ** 4, 20 * 2.0 ** 3, 60 * 2.0 ** 2, 120 * 2.0, 120.0, 0.0]
    for value in expected:
        f = grad(f)
        assert abs(float(f(2.0)) - value) < 1e-9


def test_grad_with_respect_to_several_arguments():
    a, b = grad(lambda x, y: (x * x * y).sum(), argnum=(0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert a.tolist() == [6.0, 16.0] and b.tolist() == [1.0, 4.0]
    assert float(grad(lambda x, y: x * y, argnum=1)(3.0, 5.0)) == 3.0


def test_grad_of_nodes_gives_nodes():
    x = variable(2.0)
    slope = grad(lambda z: z ** 3)(x)
    slope.backward()
    assert float(slope.value) == 12.0 and float(x.grad) == 12.0
    assert float(grad(lambda z: z ** 3)(constant(2.0)).value) == 12.0
    first, second = grad(lambda u, v: u * u * v, argnum=(0, 1))(x, x)  # the same node twice is two arguments
    assert float(first.value) == 8.0 and float(second.value) == 4.0


def test_a_function_that_ignores_its_argument_has_the_derivative_zero():
    assert float(grad(lambda x: 3.0)(2.0)) == 0.0
    assert grad(lambda x, y: y.sum())(np.ones(2), variable(np.ones(3))).value.tolist() == [0.0, 0.0]


def test_the_sheets_jacobian():
    # f(x) = (exp(x1) sin(x3), sqrt(x2 + x3)): the matrix of partial derivatives of sheet 003, 1.1 a
    x = np.array([0.3, 1.2, 0.8])
    J = jacobian(lambda x: stack([exp(x[0]) * sin(x[2]), sqrt(x[1] + x[2])]))(x)
    root = 1 / (2 * np.sqrt(x[1] + x[2]))
    np.testing.assert_allclose(J, [[np.exp(x[0]) * np.sin(x[2]), 0, np.exp(x[0]) * np.cos(x[2])], [0, root, root]])


def test_the_jacobian_of_an_elementwise_function_is_diagonal():
    x = np.array([-1.0, 0.5, 2.0])
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(jacobian(sigmoid)(x), np.diag(s * (1 - s)), atol=1e-16)


def test_the_jacobian_of_a_product_with_a_matrix():
    W, x = np.arange(6.0).reshape(2, 3), np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(jacobian(lambda x: W @ x)(x), W)
    by_W = jacobian(lambda W, x: W @ x)(W, x)  # dy_k/dW_ij = 1[k = i] x_j
    np.testing.assert_allclose(by_W, np.einsum("ki,j->kij", np.eye(2), x))


def test_hessians():
    A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]])
    np.testing.assert_allclose(hessian(lambda x: x @ A @ x)(np.ones(3)), A + A.T, atol=1e-14)
    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(hessian(lambda x: log(x).sum() + x[0] * x[1])(x), [[-1.0, 1.0], [1.0, -0.25]])


def test_products_with_the_jacobian_from_both_sides():
    def f(x, W):
        return tanh(x @ W) * sum(x, axis=1, keepdims=True)

    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((2, 3)), rng.standard_normal((3, 2))
    tx, tW, v = rng.standard_normal((2, 3)), rng.standard_normal((3, 2)), rng.standard_normal((2, 2))
    value, forward = jvp(f, (x, W), (tx, tW))
    same_value, product = vjp(f, x, W)
    np.testing.assert_allclose(value, same_value)
    np.testing.assert_allclose(value, np.tanh(x @ W) * x.sum(axis=1, keepdims=True))
    numeric = (f(x + 1e-6 * tx, W + 1e-6 * tW) - f(x - 1e-6 * tx, W - 1e-6 * tW)) / 2e-6
    np.testing.assert_allclose(forward, numeric, atol=1e-8)
    backward = product(v)
    assert abs(np.sum(v * forward) - np.sum(backward[0] * tx) - np.sum(backward[1] * tW)) < 1e-12
    np.testing.assert_allclose(backward[0], np.tensordot(v, jacobian(f)(x, W), axes=2))


def test_hessian_vector_product_inside_a_closure():
    x, v = variable(np.array([1.0, 2.0])), np.array([1.0, -1.0])
    product = grad(lambda z: (grad(lambda u: (u ** 3).sum())(z) * v).sum())(x)
    assert product.value.tolist() == [6.0, -12.0]


def test_derivatives_leave_gradients_alone_and_go_to_inner_nodes():
    x = variable(2.0)
    y = x * x
    z = y * y
    z.backward()
    by_y, by_x = derivatives(z, [y, x])
    assert float(by_y.value) == 8.0 and float(by_x.value) == 32.0
    assert float(x.grad) == 32.0 and float(y.grad) == 8.0


def test_derivatives_inside_of_derivatives():
    # f(x) = x d(x y)/dy = x^2, and so on: each of these is a function of x that closes over x
    cubes = np.array([1.0, 2.0])
    for f, slope in ((lambda x: x * grad(lambda y: x * y)(1.0), 4.0),
                     (lambda x: jvp(lambda y: x * y * y, [3.0], [1.0])[1], 6.0),
                     (lambda x: jvp(lambda y: y * y, [3.0], [x])[1], 6.0),
                     (lambda x: vjp(lambda y: x * y * y, 3.0)[1](x)[0], 24.0),
                     (lambda x: vjp(lambda y: y * y, 3.0)[1](x)[0], 6.0),
                     (lambda x: jvp(lambda y: x * y, [3.0], [1.0])[0], 3.0),
                     (lambda x: jacobian(lambda y: x * y * y)(cubes).sum(), 6.0),
                     (lambda x: hessian(lambda y: (x * y ** 3).sum())(cubes).sum(), 18.0),
                     (lambda x: grad(lambda y: grad(lambda z: x * y * z * z)(y))(x), 16.0),
                     (lambda x: grad(lambda y: y * 3.0)(5.0) * x, 3.0)):
        assert abs(grad(f)(2.0) - slope) < 1e-12
    assert grad(lambda x: grad(lambda y, w: (y * y * w).sum(), 0)(np.ones(2), x).sum())(3.0) == 4.0


def test_a_gradient_that_depends_on_a_variable_from_outside_is_a_node():
    w = variable(3.0)
    penalty = grad(lambda x: w * x * x)(2.0) ** 2  # (2 w x)^2
    penalty.backward()
    assert penalty.item() == 144.0 and w.grad == 96.0
    assert isinstance(grad(lambda x: x * x)(2.0), float)


def test_gradient_penalties_reach_the_parameters():
    linear = Linear(2, 1)
    linear.W.data = np.array([[1.0], [2.0]])
    with expanded():
        slope = grad(lambda x: (linear(x) ** 2).sum())(np.array([[1.0, 1.0]]))
    (slope ** 2).sum().backward()
    assert isinstance(slope, Node) and abs(linear.W.grad).min() > 0


def test_keyword_arguments():
    def f(a, b=1.0, *, c=0.0):
        return a * b + c

    assert grad(f)(3.0, b=4.0) == grad(f)(a=3.0, b=4.0) == 4.0 and grad(f, 1)(3.0, b=4.0) == 3.0
    assert jacobian(f)(np.ones(2), b=2.0, c=5.0).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert vjp(f, 3.0, b=4.0)[0] == 12.0 and hessian(lambda a, b: a * a * b)(3.0, b=4.0) == 8.0


def test_errors_are_sentences():
    with pytest.raises(InputError, match="single number"):
        grad(lambda x: x * 2)(np.ones(2))
    with pytest.raises(InputError, match="argnum is 1"):
        grad(lambda x: x, argnum=1)(1.0)
    with pytest.raises(InputError, match="stack"):
        grad(lambda x: [x, x])(1.0)
    with pytest.raises(InputError, match="one tangent"):
        jvp(lambda x: x, [1.0], [1.0, 2.0])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
