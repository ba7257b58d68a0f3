"""Every layer against PyTorch, in values and all gradients, in float64."""
import numpy as np
import pytest

from lib.layers.activations import GELU, LeakyReLU, Softplus, Tanh
from lib.activations import ReLU, Sigmoid, Softmax
from lib.layers.attention import MultiHeadSelfAttention, SelfAttention
from lib.layers.pooling import AvgPool2d, MaxPool2d
from lib.convolutions import Conv2d, Flatten
from lib.layers.embedding import Embedding
from lib.losses import CrossEntropyLoss
from lib.regularizers import RegularizedCrossEntropy
from lib.network import Linear, Sequential
from lib.layers.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from lib.regularizers import L1Regularization, L2Regularization

torch = pytest.importorskip("torch", reason="PyTorch is the second opinion on every layer's values and gradients")
F = torch.nn.functional


def assert_close(ours, theirs, what):
    """Assert equality to 1e-10 relative; what should be 0 may be off by the last digits of numbers around 1."""
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-13, err_msg=what)


def assert_equals_pytorch(module, x, reference, rng, randomise=True):
    """Compare with reference(x, *parameters) in PyTorch, which takes our parameters in our own layout."""
    if randomise:
        for param in module.parameters():
            param.data = rng.standard_normal(param.data.shape)
    params = [torch.tensor(param.data, requires_grad=True) for param in module.parameters()]
    x_torch = torch.tensor(x, requires_grad=x.dtype.kind == "f")
    y, y_torch = module(x), reference(x_torch, *params)
    assert_close(y, y_torch, "output")
    grad = rng.standard_normal(y.shape)
    y_torch.backward(torch.tensor(grad))
    module._zero_grad()
    grad_x = module.backward(grad)
    if x_torch.requires_grad:
        assert_close(grad_x, x_torch.grad, "gradient of the input")
    for (path, param), param_torch in zip(module.named_parameters(), params):
        assert_close(param.grad, param_torch.grad, f"gradient of {path}")


@pytest.mark.parametrize("batch", [1, 4])
def test_linear(rng, batch):
    assert_equals_pytorch(Linear(5, 3), rng.standard_normal((batch, 5)), lambda x, W, b: x @ W + b, rng)


@pytest.mark.parametrize("activation, reference", [
    (ReLU(), F.relu), (LeakyReLU(0.1), lambda x: F.leaky_relu(x, 0.1)), (Sigmoid(), torch.sigmoid),
    (Tanh(), torch.tanh), (Softplus(), F.softplus), (GELU("tanh"), lambda x: F.gelu(x, approximate="tanh")),
    (Softmax(), lambda x: F.softmax(x, dim=1)), (Flatten(), lambda x: x.flatten(1))])
def test_activations(rng, activation, reference):
    assert_equals_pytorch(activation, rng.standard_normal((4, 6)), reference, rng)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("channels, out, size, kernel, stride, padding", [
    (1, 1, (5, 5), (3, 3), (1, 1), (0, 0)), (2, 3, (7, 6), (3, 2), (2, 1), (1, 2)),
    (3, 2, (4, 9), (1, 3), (1, 3), (0, 0)), (2, 4, (6, 6), (5, 5), (3, 3), (4, 4)),
    (1, 2, (3, 4), (3, 4), (1, 1), (0, 0)), (2, 2, (8, 8), (1, 1), (2, 2), (0, 0))])
def test_conv2d(rng, batch, channels, out, size, kernel, stride, padding):
    conv = Conv2d(channels, out, kernel, stride, padding)
    assert_equals_pytorch(conv, rng.standard_normal((batch, channels) + size),
                          lambda x, W, b: F.conv2d(x, W, b.flatten(), stride, padding), rng)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kernel, stride, padding", [
    ((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 1)), ((3, 3), (2, 1), (0, 1)), ((2, 2), (3, 3), (1, 0))])
def test_pooling(rng, batch, kernel, stride, padding):
    for x in (rng.standard_normal((batch, 2, 7, 6)), rng.integers(0, 2, (batch, 2, 7, 6)).astype(float)):  # ties, too
        assert_equals_pytorch(MaxPool2d(kernel, stride, padding), x,
                              lambda x: F.max_pool2d(x, kernel, stride, padding), rng)
        assert_equals_pytorch(AvgPool2d(kernel, stride, padding), x,
                              lambda x: F.avg_pool2d(x, kernel, stride, padding), rng)


@pytest.mark.parametrize("layer_class, shape", [
    (BatchNorm1d, (5, 3)), (BatchNorm1d, (2, 3, 4)), (BatchNorm2d, (4, 3, 5, 2)), (BatchNorm2d, (1, 3, 2, 2))])
def test_batch_norm_in_both_modes_with_its_running_averages(rng, layer_class, shape):
    ours = layer_class(3, eps=1e-3, momentum=0.2)
    mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)

    def reference(x, gamma, beta):
        return F.batch_norm(x, mean, var, gamma, beta, training=ours.training, momentum=0.2, eps=1e-3)

    for training in (True, True, False):
        ours.train(training)
        assert_equals_pytorch(ours, rng.standard_normal(shape) * 2 + 1, reference, rng)
        assert_close(ours.running_mean, mean, "running mean")
        assert_close(ours.running_var, var, "running variance")


def test_batch_norm_has_pytorchs_default_settings(rng):
    ours, theirs = BatchNorm1d(3), torch.nn.BatchNorm1d(3, dtype=torch.float64)
    x = rng.standard_normal((4, 3))
    assert_close(ours(x), theirs(torch.tensor(x)), "output")
    assert_close(ours.running_var, theirs.running_var, "running variance")


@pytest.mark.parametrize("normalized, shape", [((6,), (4, 6)), ((6,), (1, 6)), ((6,), (2, 3, 6)), ((3, 6), (2, 3, 6))])
def test_layer_norm(rng, normalized, shape):
    assert_equals_pytorch(LayerNorm(normalized), rng.standard_normal(shape),
                          lambda x, gamma, beta: F.layer_norm(x, normalized, gamma, beta), rng)


@pytest.mark.parametrize("shape", [(7,), (2, 5), (1, 1)])
def test_embedding(rng, shape):
    assert_equals_pytorch(Embedding(4, 3), rng.integers(0, 4, shape), F.embedding, rng)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("batch, length", [(2, 5), (1, 3), (2, 1)])
def test_self_attention(rng, causal, batch, length):
    def reference(x, W_query, b_query, W_key, W_value, b_value):
        return F.scaled_dot_product_attention(x @ W_query + b_query, x @ W_key, x @ W_value + b_value,
                                              is_causal=causal)

    assert_equals_pytorch(SelfAttention(4, 3, causal=causal), rng.standard_normal((batch, length, 4)), reference, rng)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("batch, length, heads", [(2, 5, 2), (1, 3, 4), (2, 2, 1)])
def test_multi_head_self_attention(rng, causal, batch, length, heads):
    mask = torch.full((length, length), float("-inf"), dtype=torch.float64).triu(1) if causal else None

    def reference(x, W_query, b_query, W_key, W_value, b_value, W_output, b_output):
        b_key = torch.full((4,), 7.0, dtype=torch.float64)  # PyTorch's keys have a bias, which makes no difference
        x = x.transpose(0, 1)
        y, _ = F.multi_head_attention_forward(
            x, x, x, 4, heads, torch.cat([W_query.T, W_key.T, W_value.T]), torch.cat([b_query, b_key, b_value]),
            None, None, False, 0.0, W_output.T, b_output, attn_mask=mask)
        return y.transpose(0, 1)

    module = MultiHeadSelfAttention(4, heads, causal=causal)
    assert_equals_pytorch(module, rng.standard_normal((batch, length, 4)), reference, rng)


@pytest.mark.parametrize("penalty_class, power, factor", [(L1Regularization, 1, 1.0), (L2Regularization, 2, 0.5)])
def test_regularized_cross_entropy(rng, penalty_class, power, factor):
    model = Linear(4, 3)
    loss = RegularizedCrossEntropy(penalty_class(0.3, model.parameters()))
    x, classes = rng.standard_normal((5, 4)), rng.integers(0, 3, 5)
    W, b = (torch.tensor(param.data, requires_grad=True) for param in model.parameters())
    expected = F.cross_entropy(torch.tensor(x) @ W + b, torch.tensor(classes)) \
        + 0.3 * factor * ((W.abs() ** power).sum() + (b.abs() ** power).sum())
    expected.backward()
    assert_close(loss(model(x), np.eye(3)[classes]), expected, "loss")
    model.backward(loss.backward())
    assert_close(model.W.grad, W.grad, "gradient of W")
    assert_close(model.b.grad, b.grad, "gradient of b")


def test_a_convolutional_network(rng):
    model = Sequential(Conv2d(1, 4, 3, padding=1), BatchNorm2d(4), ReLU(), MaxPool2d(2), Conv2d(4, 6, 3), ReLU(),
                       AvgPool2d(2), Flatten(), Linear(24, 5))
    loss, classes = CrossEntropyLoss(), rng.integers(0, 5, 8)

    def reference(x, W1, b1, gamma, beta, W2, b2, W3, b3):
        x = F.batch_norm(F.conv2d(x, W1, b1.flatten(), padding=1), None, None, gamma, beta, training=True)
        x = F.relu(F.conv2d(F.max_pool2d(F.relu(x), 2), W2, b2.flatten()))
        return F.avg_pool2d(x, 2).flatten(1) @ W3 + b3

    x = rng.standard_normal((8, 1, 12, 12))
    assert_equals_pytorch(model, x, reference, rng)
    params = [torch.tensor(param.data, requires_grad=True) for param in model.parameters()]
    expected = F.cross_entropy(reference(torch.tensor(x), *params), torch.tensor(classes))
    assert_close(loss(model(x), np.eye(5)[classes]), expected, "loss")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
