"""Using a trained model: lib.model_evaluation."""
from __future__ import annotations

import numpy as np
import pytest

from lib.network import Linear, Sequential
from lib.inspection.prediction import evaluation_mode, predict
from lib.regularizers import Dropout
from tests.test_training import Recorder


@pytest.mark.parametrize("batch_size", [1, 3, 10, 1000])
def test_predict_gives_all_outputs_in_evaluation_mode_in_batches(batch_size):
    recorder = Recorder()
    model = Sequential(recorder, Dropout(0.5), Linear(2, 3))
    x = np.random.randn(10, 2)
    preds = predict(model, x, batch_size)
    np.testing.assert_allclose(preds, x @ model[2].W.data + model[2].b.data)
    assert {mode for mode, _ in recorder.seen} == {False} and max(len(seen) for _, seen in recorder.seen) <= batch_size
    assert all(module.training for _, module in model.named_modules())


def test_the_modes_come_back_each_to_its_own_also_after_an_error():
    model = Sequential(Dropout(0.5), Dropout(0.5))
    model[1].training = False
    with pytest.raises(ZeroDivisionError):
        with evaluation_mode(model):
            assert not model[0].training
            raise ZeroDivisionError
    assert (model.training, model[0].training, model[1].training) == (True, True, False)


def test_wrong_arguments_get_a_sentence():
    with pytest.raises(ValueError, match="empty"):
        predict(Linear(2, 3), np.zeros((0, 2)))
    with pytest.raises(ValueError, match="batch_size"):
        predict(Linear(2, 3), np.zeros((4, 2)), batch_size=0)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
