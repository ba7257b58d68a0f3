"""A student's lib/convolutions.py of sheet 6: loops over the places of the output."""
import numpy as np

from lib.network_base import Module, Parameter


def calculate_conv_output(input_shape, kernel_size, stride, padding):
    return tuple((input_shape[i] + 2 * padding[i] - kernel_size[i]) // stride[i] + 1 for i in range(2))


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=(1, 1), padding=(0, 0)):
        super().__init__()
        self.W = Parameter(0.1 * np.random.randn(out_channels, in_channels, *kernel_size), name="conv_filter")
        self.b = Parameter(np.zeros((out_channels, 1, 1)), name="conv_bias")
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def parameters(self):
        return self.W, self.b

    def _windows(self, x):
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        height, width = calculate_conv_output(x.shape[2:], self.kernel_size, self.stride, (0, 0))
        for i in range(height):
            for j in range(width):
                yield i, j, np.s_[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw]

    def forward(self, x):
        ph, pw = self.padding
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        self.input_cache = x
        size = calculate_conv_output(x.shape[2:], self.kernel_size, self.stride, (0, 0))
        out = np.zeros((len(x), len(self.W.data)) + size)
        for i, j, window in self._windows(x):
            out[:, :, i, j] = np.tensordot(x[window], self.W.data, axes=([1, 2, 3], [1, 2, 3]))
        return out + self.b.data

    def backward(self, grad):
        x = self.input_cache
        grad_x = np.zeros_like(x)
        for i, j, window in self._windows(x):
            self.W.grad += np.tensordot(grad[:, :, i, j], x[window], axes=(0, 0))
            grad_x[window] += np.tensordot(grad[:, :, i, j], self.W.data, axes=(1, 0))
        self.b.grad += grad.sum(axis=(0, 2, 3)).reshape(-1, 1, 1)
        ph, pw = self.padding
        return grad_x[:, :, ph:x.shape[2] - ph, pw:x.shape[3] - pw]


class Flatten(Module):
    def forward(self, x):
        self.input_cache = x.shape
        return x.reshape(x.shape[0], -1)

    def backward(self, grad):
        return grad.reshape(self.input_cache)
