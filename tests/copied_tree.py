"""A copy of the tree in which files can be exchanged, and processes that run in it."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

ROOT = Path(__file__).resolve().parent.parent

# The tests that judge a sheet's files, by the file: they use no name or argument that the course's editions lack.
TESTS = {
    "sheet2/activations": "relu sigmoid softmax", "sheet2/network": "linear sequential",
    "sheet2/losses": "crossentropy mseloss", "sheet2/utilities": "one_hot_encoding",
    "sheet2/models": "2unit_model 3unit_model 2unit_3unit_model_output run_model",
    "sheet2/model_utilities": "extract_hidden", "sheet2/log_reg": "log_reg", "sheet2/plot": "plot_relu",
    "sheet3/activations": "relu sigmoid softmax gradient_relu",
    "sheet3/network": "linear sequential gradient_linear gradient_sequential",
    "sheet3/losses": "crossentropy gradient_celoss", "sheet3/gradient_utilities": "zero_grad check_gradients",
    "sheet3/experiments": "backward_pass",
    "sheet4/optimizers": "sheet4", "sheet4/lr_schedulers": "sheet4", "sheet4/training": "sheet4",
    "sheet4/plot": "sheet4",
    "sheet5/regularizers": "sheet5", "sheet5/experiments": "sheet5", "sheet5/plot": "sheet5",
    "sheet6/convolution_warmup": "sheet6", "sheet6/convolutions": "sheet6", "sheet6/experiments": "sheet6",
    "sheet6/plot_images": "sheet6",
}


def copy_tree(folder: Path, files: Sequence[str]) -> Path:
    """Copy lib, the tests and the XOR script into a folder, with stand-ins, as "sheet3/network", in place of ours."""
    ignored = shutil.ignore_patterns("__pycache__", "*.png", "*.svg", "mutants")
    for name in ("lib", "tests", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("run_xor_experiment.py", "environment.py", "setup.cfg", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    for name in files:
        shutil.copy(ROOT / "tests" / "stand_ins" / f"{name}.py", folder / "lib")
    return folder


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the copied tree."""
    return subprocess.run([sys.executable, *arguments], cwd=str(folder), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True,
                          env={**os.environ, "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"})


def run_tests(folder: Path, names: str) -> "subprocess.CompletedProcess[str]":
    return run(folder, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
               *[f"tests/test_{name}.py" for name in names.split()])
