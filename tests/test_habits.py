"""Habits of those who come from PyTorch, Keras and notebooks get a sentence, or what they expect."""
import copy
import importlib
import pickle
import sys
import types

import numpy as np
import pytest

from lib.activations import ReLU
from lib.gradient_checking import check_module
from lib.inspection import notebook
from lib.inspection.summary import summary
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential

MODEL = Sequential(Linear(2, 3), ReLU(), Linear(3, 2))


@pytest.mark.parametrize("name, words", [
    ("fit", "from lib.fitting.fit"), ("summary", "from lib.inspection.summary"), ("predict", "argmax"),
    ("state_dict", "from lib.saving.model_files"), ("load_state_dict", "load"), ("compile", "fit"), ("to", "astype"),
    ("zero_grad", "zero_grad\\(model.parameters\\(\\)\\)"), ("evaluate", "from lib.model_evaluation"),
    ("cuda", "CPU"), ("add", "Sequential"), ("append", "Sequential"), ("save", "model_files"),
    ("load_weights", "load")])
def test_a_method_of_another_library_is_said_to_be_elsewhere(name, words):
    for module in (MODEL, Linear(2, 2)):
        with pytest.raises(AttributeError, match=words):
            getattr(module, name)
        assert not hasattr(module, name)


def test_what_the_sentences_name_is_there():
    from lib.fitting.fit import fit
    from lib.model_evaluation import evaluate
    from lib.saving.model_files import load, save
    assert all(map(callable, (fit, evaluate, load, save, summary)))


def test_what_a_sheets_library_goes_without_isnt_promised(monkeypatch, tmp_path):
    import lib
    monkeypatch.setattr(lib, "HERE", str(tmp_path))
    with pytest.raises(AttributeError, match="no attribute 'fit'. The library of this sheet goes without."):
        MODEL.fit
    with pytest.raises(AttributeError, match="argmax"):
        MODEL.predict


def test_modules_are_copied_and_pickled_as_before():
    for twin in (copy.deepcopy(MODEL), pickle.loads(pickle.dumps(MODEL))):
        np.testing.assert_array_equal(twin.modules[0].W.data, MODEL.modules[0].W.data)


def test_the_backward_of_a_losss_value_says_where_it_is():
    loss = CrossEntropyLoss()(np.zeros((1, 2)), np.array([[1, 0]]))
    assert isinstance(loss, float) and loss.shape == () and loss == pytest.approx(np.log(2))
    assert type(loss + 1) is np.float64 and f"{loss:.4f}" == "0.6931"
    with pytest.raises(AttributeError, match=r"starts at the loss function, loss_fn.backward\(\)"):
        loss.backward()


def test_freezing_a_parameter_as_elsewhere_isnt_ignored():
    with pytest.raises(AttributeError, match="parameter.constant = True"):
        MODEL[0].W.requires_grad = False
    assert not hasattr(MODEL[0].W, "requires_grad")


def test_classes_are_not_in_lib_itself():
    for name, module in (("Linear", "network"), ("zero_grad", "gradient_utilities"),
                         ("Relu", "activations"), ("LeakyReLU", "layers.activations"),
                         ("AdamW", "optimization.adaptive")):
        with pytest.raises(ImportError, match=f"from lib.{module} import {name}"):
            exec(f"from lib import {name}")
        assert hasattr(importlib.import_module(f"lib.{module}"), name)
    import lib
    assert not hasattr(lib, "no_such_thing") and not hasattr(lib, "NoSuchClass") and not hasattr(lib, "__wrapped__")
    from lib import plot, training  # files of lib are found as before, whatever functions are called so
    assert plot.__name__ == "lib.plot" and training.__name__ == "lib.training"


def test_a_slice_of_a_sequential_is_one():
    first = MODEL[0:2]
    assert isinstance(first, Sequential) and list(first.modules) == list(MODEL.modules[:2])
    assert first[0] is MODEL[0] and MODEL[-1] is MODEL.modules[2]


def test_labels_as_class_numbers_get_a_sentence():
    with pytest.raises(ValueError, match="one_hot_encoding"):
        CrossEntropyLoss()(np.zeros((2, 3)), np.array([0, 2]))


def test_tables_in_a_notebook():
    class Wrong(ReLU):
        def backward(self, grad):
            return 2 * grad * (self.input_cache > 0)

    report = check_module(Wrong(), (np.array([[1.0, -2.0], [3.0, 0.5]]),))
    html = notebook.report_html(report)
    assert "<table>" in html and "wrong" in html and "rgba(220,60,40,0.75)" in html and "&gt;" not in html[:5]
    assert "W (2, 3)" in notebook.model_html(MODEL) and "Sequential[1]" in notebook.model_html(MODEL)
    assert "<table>" in summary(MODEL, (2,))._repr_html_() and "17" in summary(MODEL, (2,))._repr_html_()


def test_the_tables_are_released_with_the_sheet():
    from grading.release import collect
    from grading.sheet import load_sheet
    assert "lib/inspection/notebook.py" in collect(load_sheet("backpropagation"))  # lib/__init__.py imports it


@pytest.mark.parametrize("text, is_ours", [("eval('1 +', {})", False), ("compile('1 +', '<string>', 'eval')", False),
                                           ("import lib.broken", True)])
def test_only_a_file_of_lib_is_told_as_one_that_python_doesnt_understand(text, is_ours, tmp_path, monkeypatch, capsys):
    import lib
    said = []
    monkeypatch.setattr(lib, "HERE", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # where "<string>" would be a file of lib's, were it one
    (tmp_path / "broken.py").write_text("1 +")
    monkeypatch.setattr(lib, "__path__", [str(tmp_path)] + list(lib.__path__))
    with pytest.raises(SyntaxError) as error:
        exec(text, {})
    lib._says_where(error.type, error.value, error.tb, python_says=lambda kind, *_: said.append(kind))
    assert said == ([] if is_ours else [SyntaxError])
    assert ("Python doesn't understand" in capsys.readouterr().err) == is_ours


def test_a_notebook_is_told_when_lib_is_imported(monkeypatch):
    found = {}
    formatter = types.SimpleNamespace(for_type_by_name=lambda module, name, f: found.update({f"{module}.{name}": f}))
    shell = types.SimpleNamespace(display_formatter=types.SimpleNamespace(formatters={"text/html": formatter}))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    notebook.register()
    assert found == {"lib.network_base.Module": notebook.model_html,
                     "lib.gradient_checking.report.GradientReport": notebook.report_html}
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    notebook.register()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
