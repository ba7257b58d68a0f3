"""A copy of the tree in which files can be exchanged, and processes that run in it."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

ROOT = Path(__file__).resolve().parent.parent

# The tests of sheets 2 and 3, which use no name or argument that the course's editions lack, by the file they judge.
TESTS = {
    "activations": "relu sigmoid softmax gradient_relu", "network": "linear sequential gradient_linear",
    "losses": "crossentropy gradient_celoss", "gradient_utilities": "zero_grad check_gradients",
    "experiments": "backward_pass", "models": "2unit_model 3unit_model 2unit_3unit_model_output run_model",
    "model_utilities": "extract_hidden", "log_reg": "log_reg", "plot": "plot_relu",
}


def copy_tree(folder: Path, files: Sequence[str]) -> Path:
    """Copy lib, the tests and the XOR script into a folder, with the stand-ins of these files in the place of ours."""
    ignored = shutil.ignore_patterns("__pycache__", "*.png", "*.svg", "mutants")
    for name in ("lib", "tests", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("run_xor_experiment.py", "environment.py", "setup.cfg", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    for name in files:
        shutil.copy(ROOT / "tests" / "stand_ins" / f"{name}.py", folder / "lib" / f"{name}.py")
    return folder


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the copied tree."""
    return subprocess.run([sys.executable, *arguments], cwd=str(folder), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True,
                          env={**os.environ, "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"})


def run_tests(folder: Path, names: str) -> "subprocess.CompletedProcess[str]":
    return run(folder, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
               *[f"tests/test_{name}.py" for name in names.split()])
