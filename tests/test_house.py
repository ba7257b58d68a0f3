"""The rules of the house, as design.md has them: where files stand, what they may import, and what they define."""
from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIB = ROOT / "lib"

# What each file of the sheets defines for others to import, and nothing else; its helpers begin with an underscore.
SHEETS = {
    "network_base": "Parameter Module is_loss",
    "activations": "ReLU Relu Sigmoid Softmax",
    "network": "Linear Sequential",
    "losses": "CrossEntropyLoss MSELoss",
    "gradient_utilities": "zero_grad check_gradients",
    "experiments": "backward_pass train_models run_conv_experiment run_shifted_conv_experiment",
    "utilities": "one_hot_encoding Dummy save_result load_result",
    "dataset": "X y",
    "models": "create_2unit_net create_3unit_net run_model_on_xor run_test_model",
    "model_utilities": "extract_hidden",
    "log_reg": "logistic_regression",
    "plot": "plot_relu plot_lr_schedules plot_learning_curves plot_distribution",
    "optimizers": "Optimizer SGD Adam create_optimizer",
    "lr_schedulers": "LambdaLR PiecewiseConstantLR CosineAnnealingLR",
    "training": "train create_and_train_model compare_optimizers",
    "model_evaluation": "accuracy evaluate",
    "dataset_mnist": "load_mnist_data",
    "regularizers": "Dropout L1Regularization L2Regularization RegularizedCrossEntropy",
    "model_training": "train",
    "convolution_warmup": "pad_array dot_product_single_filter dot_product_single_filter_with_batches "
                          "dot_product_multiple_filters_with_batches",
    "convolutions": "calculate_conv_output Conv2d Flatten",
    "plot_images": "plot_data",
}
GROUND = {"__init__", "lib", "validation", "numerics", "walkthrough"}
PACKAGES = {"layers", "optimization", "fitting", "steps", "data", "saving", "inspection",
            "gradient_checking", "graph"}
FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts).replace(".__init__", ""): path
         for path in sorted(LIB.rglob("*.py"))}


class Import(NamedTuple):
    """One import: from a module of lib, to a module, inside of a function (its name) or at module level ("")."""

    source: str
    target: str
    function: str


def imports_of(module: str, path: Path) -> Iterator[Import]:
    """Yield all imports of a file; `from lib.graph import node` imports lib.graph.node where that is a module."""
    def walk(node: ast.AST, function: str) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(module, alias.name, function)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{path}: imports are absolute, from lib"
                for alias in child.names:
                    inner = f"{child.module}.{alias.name}"
                    yield Import(module, inner if inner in FILES else child.module or "", function)
            else:
                is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from walk(child, getattr(child, "name", "lambda") if is_function else function)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), "")


GRAPH_USER = "lib.gradient_checking.diagnose.forward_graph"
IMPORTS = [found for module, path in FILES.items() for found in imports_of(module, path)]


def circles(edges: Dict[str, Set[str]]) -> List[Set[str]]:
    """Return the sets of nodes that can reach each other."""
    def reachable(start: str) -> Set[str]:
        seen: Set[str] = set()
        waiting = [start]
        while waiting:
            for target in edges.get(waiting.pop(), set()) - seen:
                seen.add(target)
                waiting.append(target)
        return seen

    reach = {node: reachable(node) for node in edges}
    found: List[Set[str]] = []
    for node in edges:
        circle = {other for other in reach[node] if node in reach.get(other, set())}
        if circle and circle not in found:
            found.append(circle)
    return found


def edges_between(name_of) -> Dict[str, Set[str]]:
    """Return which part of lib imports which others, but for what may point upwards; name_of(module) is its part."""
    edges: Dict[str, Set[str]] = {}
    for source, target, function in IMPORTS:
        upward = source == "lib.network_base" and target == "lib.gradient_checking"
        # the checker's diagnosis may use the graph, inside functions, and does without it where it isn't there
        upward = upward or bool(function) and source == GRAPH_USER and target.startswith("lib.graph")
        if target in FILES and target != "lib" and not upward and name_of(source) != name_of(target):
            edges.setdefault(name_of(source), set()).add(name_of(target))
    return edges


def test_the_core_that_students_read_is_short():
    names = ("validation", "network_base", "activations", "network", "losses", "gradient_utilities", "experiments",
             "utilities", "dataset")
    core = [ROOT / "lib" / f"{name}.py" for name in names]
    lines = {path.name: path.read_text("utf-8").count("\n") for path in core + [ROOT / "run_xor_experiment.py"]}
    assert sum(lines.values()) <= 1000, lines
    assert len([path for path in (ROOT / "lib").iterdir() if path.name != "__pycache__"]) <= 36


def test_the_top_of_lib_holds_the_sheets_files_and_packages_by_topic():
    files = {path.stem for path in LIB.glob("*.py")}
    packages = {path.parent.name for path in LIB.glob("*/__init__.py")}
    assert set(SHEETS) <= files <= set(SHEETS) | GROUND and packages == PACKAGES


def test_no_circle_of_imports_but_the_one_in_check_gradients():
    assert circles(edges_between(lambda module: ".".join(module.split(".")[:2]))) == []


def test_the_upward_import_stands_in_the_methods_that_check_gradients():
    for source, target, function in IMPORTS:
        if source == "lib.network_base":
            assert target in ("lib", "lib.validation", "lib.numerics") or not target.startswith("lib") or \
                target == "lib.gradient_checking" and function.startswith("check_gradients")


def test_lib_never_imports_from_those_who_use_it():
    users = {"exercises", "grading", "benchmarks", "tests", "run_xor_experiment"}
    assert [found for found in IMPORTS if found.target.split(".")[0] in users] == []


def test_lib_imports_numpy_alone_at_module_level():
    for source, target, function in IMPORTS:
        package = target.split(".")[0]
        if not function and package not in ("lib", "numpy"):
            spec = find_spec(package)
            assert spec is not None and "site-packages" not in (spec.origin or ""), \
                f"{source} imports {target}: do it inside of the function that needs it"


@pytest.mark.parametrize("module", ["lib.network", "lib.experiments", "lib.gradient_checking", "lib.graph"])
def test_importing_loads_neither_scipy_nor_matplotlib(module):
    code = f"import sys, {module}; print([m for m in ('scipy', 'matplotlib', 'pandas', 'sklearn') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=str(ROOT), stdout=subprocess.PIPE, check=True)
    assert shown.stdout.split() == [b"[]"]


def defined_names(path: Path) -> Set[str]:
    """Return the public names that a file itself defines at module level."""
    names: Set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("module", SHEETS)
def test_a_sheets_file_defines_the_sheets_names_and_no_more(module):
    assert defined_names(FILES[f"lib.{module}"]) == set(SHEETS[module].split())


@pytest.mark.parametrize("folder", ["lib", "exercises", "grading", "benchmarks"])
def test_files_are_short(folder):
    long = {str(path): count for path in (ROOT / folder).rglob("*.py")
            for count in [len(path.read_text(encoding="utf-8").splitlines())] if count > 320}
    assert long == {}


def test_every_name_that_is_imported_is_used():
    pytest.importorskip("pyflakes", reason="pyflakes is among the packages of .ci/requirements.txt")
    from pyflakes.checker import Checker
    said = []
    for folder in ("lib", "exercises", "grading", "benchmarks", "tests", "."):
        for path in (ROOT / folder).glob("*.py" if folder == "." else "**/*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            said += [f"{path.relative_to(ROOT)}:{message.lineno}: {message.message % message.message_args}"
                     for message in Checker(tree).messages if path.parent.name != "edf"]
    assert said == []


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
