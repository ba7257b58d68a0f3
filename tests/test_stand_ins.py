"""A student's own files in the place of ours: all of lib works on them, and the sheets' tests judge them.

The stand-ins are as plain as a student's file may be: the course's names alone, no checks, gradients that start as
None, modules kept as a tuple. Each run is a process of its own in a copy of the tree.
"""
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple, Sequence

import pytest

from tests.copied_tree import ROOT, TESTS, copy_tree, run, run_tests

STAND_INS = ROOT / "tests" / "stand_ins"
SHEETS = {folder.name: sorted(f"{folder.name}/{path.stem}" for path in folder.glob("*.py"))
          for folder in sorted(STAND_INS.glob("sheet*"))}
ALL = [file for files in SHEETS.values() for file in files]
FORWARD_ALONE = ["sheet2/activations", "sheet2/network", "sheet2/losses"]  # they have no backward pass
OF_ALL_SHEETS = [file for file in ALL if file not in FORWARD_ALONE + ["sheet2/utilities"]]  # which saves no results
NEEDED = [package for package in ("matplotlib", "scipy", "sklearn") if find_spec(package) is None]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"needs {', '.join(NEEDED)}, which CI installs")


class Mistake(NamedTuple):
    """A wrong line in place of a right one in a stand-in."""

    file: str
    right: str
    wrong: str
    times: int = 1


MISTAKES = [
    Mistake("sheet2/activations", "return x * (x > 0)", "return x * (x > 1)"),
    Mistake("sheet2/activations", "1 / (1 + np.exp(-x))", "1 / (1 + np.exp(x))"),
    Mistake("sheet2/activations", "axes = tuple(range(1, x.ndim))", "axes = None"),
    Mistake("sheet2/activations", " - x.max(axis=axes, keepdims=True)", ""),
    Mistake("sheet2/network", "0.01 * np.random.randn", "np.random.randn"),
    Mistake("sheet2/network", "+ self.b.data", "- self.b.data"),
    Mistake("sheet2/network", "            x = module(x)", "            y = module(x)"),
    Mistake("sheet2/network", "params.extend(", "params.append("),
    Mistake("sheet2/losses", "labels * np.log(Softmax()(preds))", "labels * Softmax()(preds)"),
    Mistake("sheet2/losses", ") / len(preds)\n", ")\n"),
    Mistake("sheet2/losses", "(2 * len(preds))", "len(preds)"),
    Mistake("sheet2/losses", " ** 2", ""),
    Mistake("sheet2/utilities", "np.eye(num_classes)[y]", "np.eye(num_classes)[:, y]"),
    Mistake("sheet2/utilities", "np.eye(num_classes)[y]", "np.eye(len(y))[y]"),
    Mistake("sheet2/models", "[-4.08, 4.42]", "[4.08, -4.42]"),
    Mistake("sheet2/models", "[2.0, -2.0]", "[-2.0, 2.0]"),
    Mistake("sheet2/models", "return softmax, loss", "return logits, loss"),
    Mistake("sheet2/models", "    if verbose:", "    if True:"),
    Mistake("sheet2/models", "    assert np.all(", "    print("),
    Mistake("sheet2/model_utilities", "[0.0, -1.0]", "[0.0, 1.0]"),
    Mistake("sheet2/model_utilities", "return relu(linear(x))", "return linear(x)"),
    Mistake("sheet2/log_reg", "classifier.predict(inputs)", "labels"),
    Mistake("sheet2/log_reg", "LogisticRegression()", "LogisticRegression(C=1e-9)"),
    Mistake("sheet2/log_reg", "classifier.score(inputs, labels)", "classifier.predict_proba(inputs)"),
    Mistake("sheet2/plot", "plt.plot(x, ReLU()(x))", "plt.plot(x, x)"),
    Mistake("sheet2/plot", "np.linspace(-2, 2, 100)", "np.linspace(0, 2, 100)"),
    Mistake("sheet3/activations", "np.where(x > 0, 1, 0)", "np.where(grad > 0, 1, 0)"),
    Mistake("sheet3/activations", "return np.maximum(x, 0)", "return np.abs(x)"),
    Mistake("sheet3/network", "np.sum(grad, axis=0)", "np.sum(grad, axis=0) / len(grad)"),
    Mistake("sheet3/network", "return grad @ self.W.data.T", "return None"),
    Mistake("sheet3/network", "for module in self.modules[::-1]:", "for module in self.modules:"),
    Mistake("sheet3/losses", "(softmax - labels) / labels.shape[0]", "softmax - labels"),
    Mistake("sheet3/losses", "np.mean(-np.sum(", "np.sum(-np.sum("),
    Mistake("sheet3/gradient_utilities", "param.grad = np.zeros(param.data.shape)", "pass"),
    Mistake("sheet3/gradient_utilities", "    model.check_gradients((x,))\n", ""),
    Mistake("sheet3/experiments", "- lr * param.grad", "+ lr * param.grad"),
    Mistake("sheet4/optimizers", "self.momentum * velocity - self.lr * p.grad", "self.momentum * velocity + p.grad"),
    Mistake("sheet4/optimizers", "p.data -= self.lr * p.grad", "p.data -= p.grad"),
    Mistake("sheet4/optimizers", "lr=1.0, momentum", "lr=0.1, momentum"),
    Mistake("sheet4/optimizers", "state[\"v\"] / (1 - beta2 ** state[\"t\"])", "state[\"v\"]"),
    Mistake("sheet4/optimizers", "param.grad = np.zeros_like(param.data)", "pass"),
    Mistake("sheet4/optimizers", "raise ValueError(f", "return SGD(params)  # ("),
    Mistake("sheet4/lr_schedulers", "epoch > boundary", "epoch >= boundary"),
    Mistake("sheet4/lr_schedulers", "self.lr_lambda(self.last_epoch)",
            "self.initial_lr * self.lr_lambda(self.last_epoch)"),
    Mistake("sheet4/lr_schedulers", "math.pi * epoch", "2 * math.pi * epoch"),
    Mistake("sheet4/training", "np.mean(batch_costs)", "np.sum(batch_costs)"),
    Mistake("sheet4/training", "        np.random.shuffle(indices)\n", ""),
    Mistake("sheet4/training", "            optimizer.zero_grad()\n", ""),
    Mistake("sheet4/training", "val_accuracies[epoch], val_costs[epoch] =",
            "val_costs[epoch], val_accuracies[epoch] ="),
    Mistake("sheet4/training", "            scheduler.step()", "            pass"),
    Mistake("sheet4/training", "30", "20", 2), Mistake("sheet4/training", "0.9", "0.5"),
    Mistake("sheet4/training", "\"sgd_momentum\", \"sgd\"", "\"momentum\", \"sgd\""),
    Mistake("sheet4/plot", "for name in results:", "for name in [\"sgd\"]:"),
    Mistake("sheet4/plot", "plt.plot(results[name][i])", "plt.plot(results[\"adam\"][i])"),
    Mistake("sheet4/plot", "plt.legend(list(results))", "plt.legend([\"adam\", \"sgd\", \"sgd_momentum\"])"),
    Mistake("sheet4/plot", "            scheduler.step()", "            pass"),
    Mistake("sheet4/plot", "plt.plot(range(40), rates,", "plt.plot(rates, range(40),"),
    Mistake("sheet4/plot", "                 lambda optimizer: CosineAnnealingLR(optimizer, 40)):",
            "                 ):"),
    Mistake("sheet5/regularizers", " / (1 - self.p_delete)", ""),
    Mistake("sheet5/regularizers", "raise ValueError(", "print("),
    Mistake("sheet5/regularizers", "self.lambd / 2 * sum", "self.lambd * sum"),
    Mistake("sheet5/regularizers", "+= self.lambd * np.sign(param.data)", "= self.lambd * np.sign(param.data)"),
    Mistake("sheet5/regularizers", "        self.penalty.backward()\n", ""),
    Mistake("sheet5/experiments", "    save_result(\"weights\", results)", "    return results"),
    Mistake("sheet5/experiments", "loss_fn = RegularizedCrossEntropy(L", "unused = (L", 2),
    Mistake("sheet5/experiments", "Adam(model.parameters(), lr=0.001)", "Adam(Linear(784, 10).parameters())"),
    Mistake("sheet5/plot", "results[name][0].ravel()", "[0.0, 0.05, 0.05]"),
    Mistake("sheet5/plot", "        ax.hist(", "        print("),
    Mistake("sheet6/convolution_warmup", "(pad[0], pad[0]), (pad[1], pad[1])", "(pad[1], pad[1]), (pad[0], pad[0])"),
    Mistake("sheet6/convolution_warmup", "i:i + F.shape[1], j:j + F.shape[2]] * F))", "i:, j:] * F.sum()))"),
    Mistake("sheet6/convolution_warmup", "axes=([1, 2, 3], [1, 2, 3])",
            "axes=([1, 2, 3], [1, 2, 3])).T.reshape(-1, len(X)"),
    Mistake("sheet6/convolutions", "+ 2 * padding[i]", "+ padding[i]"),
    Mistake("sheet6/convolutions", "0.1 * np.random.randn", "0.01 * np.random.randn"),
    Mistake("sheet6/convolutions", "grad_x[window] +=", "grad_x[window] ="),
    Mistake("sheet6/convolutions", "axis=(0, 2, 3)", "axis=(0, 2, 3)) / len(grad"),
    Mistake("sheet6/experiments", "train(model, Cross", "print(model, Cross"),
    Mistake("sheet6/experiments", "(2, 2), axis=(1, 2))", "(0, 0), axis=(1, 2))"),
    Mistake("sheet6/experiments", "    run(lambda x: x)", "    pass"),
    Mistake("sheet6/experiments", "        print(f\"{name}", "        str(f\"{name}"),
    Mistake("sheet6/experiments", "\"linear\": Sequential(Linear(784, 10)),", ""),
    Mistake("sheet6/plot_images", "image.transpose(1, 2, 0)", "image.transpose(2, 1, 0)"),
    Mistake("sheet6/plot_images", "zip(axes.ravel(), data)", "zip(axes.ravel(), data[:1])"),
    Mistake("sheet6/plot_images", "plt.subplots(rows, cols, squeeze=False)", "plt.subplots(5, 4, squeeze=False)"),
    Mistake("sheet6/plot_images", "axes.ravel()", "axes.T.ravel()"),
    Mistake("sheet6/plot_images", "        if not plot_border:", "        if True:"),
    Mistake("sheet6/plot_images", "    fig.suptitle(title)\n", ""),
]


def assert_works(folder: Path) -> None:
    result = run(folder, "-m", "tests.stand_ins.at_work")
    assert result.stdout.endswith("All of lib works.\n"), result.stdout[-3000:]


def run_tests_of(folder: Path, files: Sequence[str]) -> "CompletedProcess[str]":
    return run_tests(folder, " ".join(dict.fromkeys(" ".join(TESTS[file] for file in files).split())))


def test_all_together(tmp_path):
    assert_works(copy_tree(tmp_path, OF_ALL_SHEETS))


def test_every_file_of_the_sheets_has_a_stand_in_and_mistakes():
    assert set(ALL) == set(TESTS) == {mistake.file for mistake in MISTAKES}


def test_all_tests_are_collected_with_another_sheets_experiments(tmp_path):
    """It has no backward_pass, which is no gap of the main sheet that is still open."""
    folder = copy_tree(tmp_path, ["sheet6/experiments"])
    for path in (folder / "tests").glob("test_*.py"):
        if path.name != "test_sheet5.py":
            path.unlink()
    output = run(folder, "-m", "pytest", "-q", "--collect-only", "-o", "testpaths=tests").stdout
    assert "tests/test_sheet5.py" in output, output[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("files, options, words", [
    (SHEETS["sheet2"], [], "lib/activations.py has no ReLU.backward. Is it the file of another sheet?"),
    (SHEETS["sheet2"], ["ReLU"], "ReLU: backward isn't written yet.\n"),
    (["sheet5/experiments"], [], "lib/experiments.py has no backward_pass. Is it the file of another sheet?"),
    (["sheet5/experiments"], ["--all"], " modules are right.")])
def test_the_commands_say_what_another_sheets_files_lack(tmp_path, files, options, words):
    output = run(copy_tree(tmp_path, files), "-m", "lib.gradient_utilities", *options).stdout
    assert words in output and "AttributeError" not in output, output


@pytest.mark.slow
def test_forward_passes_alone_are_at_work(tmp_path):
    result = run(copy_tree(tmp_path, SHEETS["sheet2"]), "-m", "tests.stand_ins.at_work", "forward")
    assert result.stdout.endswith("All of lib works.\n"), result.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("sheet", SHEETS)
def test_the_sheets_tests_pass_on_all_its_files_together(tmp_path, sheet):
    folder = copy_tree(tmp_path, SHEETS[sheet])
    result = run_tests_of(folder, SHEETS[sheet])
    assert result.returncode == 0, result.stdout[-3000:]
    if sheet == "sheet3":
        output = run(folder, "run_xor_experiment.py", "--seed", "3", "--epochs", "500").stdout
        assert "Final predictions: [0 1 1 0]" in output and "Not right" not in output, output


@pytest.mark.slow
@pytest.mark.parametrize("file", ALL)
def test_each_alone(tmp_path, file):
    folder = copy_tree(tmp_path, [file])
    if file not in FORWARD_ALONE:
        assert_works(folder)
    if file != "sheet5/plot":  # it draws what a train_models of its own has saved
        result = run_tests_of(folder, [file])
        assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("file", ALL)
def test_the_wrong_ones_fail_its_sheets_tests(tmp_path, file):
    together = file == "sheet5/plot"
    folder = copy_tree(tmp_path, SHEETS["sheet5"] if together else [file])
    output = run(folder, "-m", "tests.stand_ins.judge", file).stdout
    assert output.endswith("All are judged.\n") and "although wrong" not in output, output[-3000:]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
