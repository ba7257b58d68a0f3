"""The table of a model: lib.inspection.summary; and lib.inspection.recording, by which it looks inside."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU
from lib.layers.activations import Tanh
from lib.layers.embedding import Embedding
from lib.convolutions import Conv2d
from lib.losses import CrossEntropyLoss
from lib.convolutions import Flatten
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.network_base import Module
from lib.layers.normalization import BatchNorm1d
from lib.layers.pooling import MaxPool2d
from lib.inspection.recording import recording_copy
from lib.regularizers import Dropout
from lib.inspection.summary import summary


def rows_of(model, input_shape):
    """Return (module, output shape, number of parameters) of each row."""
    return [row[2:] for row in summary(model, input_shape).rows]


def test_layers_shapes_and_parameters():
    model = Sequential(Conv2d(1, 4, (5, 5)), ReLU(), MaxPool2d((2, 2)), Flatten(), Linear(576, 10))
    rows = rows_of(model, (1, 28, 28))
    assert [shape for _, shape, _ in rows] == [("batch", 10), ("batch", 4, 24, 24), ("batch", 4, 24, 24),
                                               ("batch", 4, 12, 12), ("batch", 576), ("batch", 10)]
    assert [count for _, _, count in rows] == [104 + 5770, 104, 0, 0, 0, 5770]
    assert summary(model, (1, 28, 28)).total == 5874 and summary(model, (1, 28, 28)).num_bytes == 8 * 5874


def test_as_text_nested_modules_are_indented_in_aligned_columns():
    model = Sequential(Linear(2000, 30), Residual(Sequential(Linear(30, 30), Tanh())), Linear(30, 2))
    lines = str(summary(model, (2000,))).splitlines()
    assert [line.split("  (")[0].rstrip() for line in lines[2:-2]] == [
        "Sequential", "  [0] Linear(2000, 30)", "  [1] Residual", "    .module Sequential", "      [0] Linear(30, 30)",
        "      [1] Tanh()", "  [2] Linear(30, 2)"]
    assert lines[0].split() == ["layer", "output", "shape", "parameters"]
    assert lines[3].split()[-1] == "60,030" and lines[-1] == "61,022 parameters, 488.2 kB"
    assert len({len(line) for line in lines[:-1]}) == 1
    assert repr(summary(model, (2000,))) == str(summary(model, (2000,)))


def test_the_number_of_features_may_be_given_as_a_number_and_a_batch_axis_is_found_wherever_it_stands():
    class SevenTimes(Module):
        def forward(self, x):
            return np.stack([x] * 7)

    assert rows_of(SevenTimes(), 3) == [("SevenTimes()", (7, "batch", 3), 0)]
    assert rows_of(Sequential(Linear(2, 2)), (2,))[0][1] == ("batch", 2)  # a batch of 2 would look the same


def test_shared_parameters_count_once_and_modules_that_are_not_called_say_so():
    class Tied(Module):
        def __init__(self):
            self.first, self.second, self.unused = Linear(3, 3), Linear(3, 3), Linear(2, 2)
            self.second.W = self.first.W

        def parameters(self):
            return [*self.first.parameters(), *self.second.parameters()]

        def forward(self, x):
            return self.second(self.first(x))

    table = summary(Tied(), (3,))
    assert table.total == 9 + 3 + 3
    assert [row.output_shape for row in table.rows] == [("batch", 3)] * 3 + [None]
    assert "not called" in str(table)


def test_models_of_whole_numbers_and_of_float32():
    assert rows_of(Sequential(Embedding(50, 8), Flatten(), Linear(24, 2)), (3,))[1][1] == ("batch", 3, 8)
    model = Sequential(Linear(4, 2)).astype(np.float32)
    assert summary(model, (4,)).num_bytes == 40 and "40 bytes" in str(summary(model, (4,)))


def everything(model):
    """Return what a model consists of, in a form that can be compared."""
    arrays = [p.data.tobytes() + p.grad.tobytes() for p in model.parameters()]
    arrays += [buffer.tobytes() for _, buffer in model.named_buffers()]
    return arrays, [(id(module), module.training, id(module.input_cache), sorted(vars(module)))
                    for _, module in model.named_modules()]


class Noise(Module):
    """Draws from NumPy's global random state, whatever the mode."""

    def forward(self, x):
        return x + np.random.standard_normal(x.shape)

    def backward(self, grad):
        return grad


def test_the_model_and_the_random_state_stay_as_they_are():
    rng = np.random.default_rng(0)
    model = Sequential(Linear(4, 5), BatchNorm1d(5), Noise(), Dropout(0.5, rng=rng), Linear(5, 3))
    model[3].p_delete = 0.25
    preds = model(np.random.randn(6, 4))
    loss_fn = CrossEntropyLoss()
    loss_fn(preds, np.eye(3)[[0, 1, 2] * 2])
    model.backward(loss_fn.backward())
    before, state, generator = everything(model), np.random.get_state()[1].tolist(), rng.bit_generator.state
    summary(model, (4,))
    with pytest.raises(ValueError, match="expects 4 features"):
        summary(model, (9,))
    assert everything(model) == before
    assert np.random.get_state()[1].tolist() == state and rng.bit_generator.state == generator


@pytest.mark.parametrize("shape", [(0,), (2.5,), ("batch", 3), (None, 3), -1])
def test_a_wrong_input_shape_is_refused(shape):
    with pytest.raises(ValueError, match="shape of one example, without the batch"):
        summary(Linear(3, 2), shape)


def test_a_recording_copy_computes_what_the_model_does():
    model = Sequential(Linear(4, 5), Tanh(), Linear(5, 3))
    x, grad = np.random.randn(6, 4), np.random.randn(6, 3)
    twin, outputs, gradients = recording_copy(model)
    y, dx = model(x), model.backward(grad)
    np.testing.assert_array_equal(twin(x), y)
    np.testing.assert_array_equal(twin.backward(grad), dx)
    np.testing.assert_array_equal(outputs["Sequential[0]"], model[0](x))
    np.testing.assert_array_equal(gradients["Sequential[2]"], grad)
    np.testing.assert_allclose(gradients["Sequential[1]"], grad @ model[2].W.data.T)
    assert set(outputs) == set(gradients) == {"Sequential", "Sequential[0]", "Sequential[1]", "Sequential[2]"}


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
