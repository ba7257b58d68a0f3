"""Set-up: requirements, finding an environment, lean imports, and the house's rules for files."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

import environment

ROOT = Path(__file__).resolve().parent.parent


def test_versions_compare_as_numbers():
    assert environment.version_numbers("1.24.10") > environment.version_numbers("1.24.9")
    assert environment.version_numbers("2.0.0rc1") >= environment.version_numbers("1.26")


def test_requirements_begin_with_the_cards_packages():
    assert [name for name, _ in environment.read_requirements()][:3] == ["numpy", "pytest", "pycodestyle"]


def test_a_missing_or_old_package_is_named(monkeypatch):
    monkeypatch.setattr(environment, "read_requirements", lambda: [("numpy", "1.0"), ("no-such-package", "1"),
                                                                   ("pytest", "999")])
    assert environment.missing_packages() == ["no-such-package>=1", "pytest>=999"]


def test_a_package_that_is_only_described_counts_as_missing(monkeypatch):
    monkeypatch.setattr(environment, "succeeds", lambda command: False)
    assert "numpy" in environment.missing_packages()


def test_a_complete_python_is_used_as_it_is(monkeypatch):
    monkeypatch.setattr(environment, "missing_packages", lambda: [])
    monkeypatch.setattr(environment, "create_venv", lambda: pytest.fail("made an environment without need"))
    assert environment.find_environment() == sys.executable


def test_nothing_half_made_stays_when_installing_fails(monkeypatch, tmp_path, capsys):
    venv = tmp_path / ".venv"
    venv.mkdir()
    (venv / "left over").write_text("from a run that was cut off")
    monkeypatch.setattr(environment, "VENV", str(venv))
    monkeypatch.setattr(environment, "missing_packages", lambda: ["numpy>=99"])
    monkeypatch.setattr(environment, "create_venv", lambda: (venv / "half made").write_text(""))
    monkeypatch.setattr(environment, "install_into_venv", lambda: False)
    with pytest.raises(SystemExit):
        environment.find_environment()
    assert not venv.exists()
    assert "Installing the packages of requirements.txt into .venv failed" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["-m", "lib.gradient_utilities", "--help"], ["-m", "lib.gradient_checking", "-h"],
                                     ["-m", "tests.test_zero_grad", "-q"], ["-m", "exercises.digits.train_network"],
                                     ["-m", "benchmarks", "--help"], ["-m", "grading", "release"]])
def test_a_module_is_run_again_where_numpy_is(tmp_path, command):
    """Started by a Python without NumPy, of which a script that prints its arguments takes the place in .venv."""
    for name in ("environment.py", "lib/__init__.py", "tests/__init__.py", "exercises/__init__.py",
                 "exercises/digits/__init__.py", "benchmarks/__init__.py", "grading/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    for name in ("lib/gradient_utilities", "lib/gradient_checking/__main__", "tests/test_zero_grad",
                 "exercises/digits/train_network", "benchmarks/__main__", "grading/__main__"):
        (tmp_path / (name + ".py")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / (name + ".py")).write_text("import numpy", "utf-8")
    (tmp_path / "lib" / "gradient_checking" / "__init__.py").write_text("", "utf-8")
    script = ("import environment, os, sys; environment.find_environment = lambda: sys.argv[0]\n"
              "environment.subprocess.call = lambda command: print(*command[1:])\n"
              "import runpy; sys.argv = ['-m'] + sys.argv[2:]; runpy._run_module_as_main(sys.argv.pop(1))")
    result = subprocess.run([sys.executable, "-S", "-c", script] + command, cwd=str(tmp_path), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, universal_newlines=True)
    assert result.stdout.split() == command, result.stdout


def test_other_imports_without_numpy_get_pythons_message(tmp_path):
    result = subprocess.run([sys.executable, "-S", "-c", "import lib.network"], cwd=str(ROOT), stderr=subprocess.PIPE,
                            universal_newlines=True)
    assert "No module named 'numpy'" in result.stderr


@pytest.mark.parametrize("command, status, said", [
    (["lib/network.py"], 2, "isn't run by its path.*python -m lib.network\n"),
    (["tests/test_linear.py", "-v"], 2, "isn't run by its path.*python -m tests.test_linear\n"),
    (["environment.py", "--chekc"], 2, "takes --check or nothing, but got --chekc"),
    (["environment.py", "--help"], 0, "prints the path"),
    (["setup.py", "develop"], 1, "This library isn't installed.*requirements.txt.*sys.path"),
])
def test_what_is_started_in_another_way_says_how(command, status, said):
    result = subprocess.run([sys.executable] + command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            universal_newlines=True)
    assert result.returncode == status and re.search(said, result.stdout) and "Traceback" not in result.stdout


def test_python_that_is_started_inside_lib_says_where_to_start_it():
    result = subprocess.run([sys.executable, "-c", "import network"], cwd=str(ROOT / "lib"), stderr=subprocess.PIPE,
                            universal_newlines=True)
    assert "ImportError: lib is a package in the folder " in result.stderr and "-m lib.-c" not in result.stderr


def imported_by(module):
    """Return the names of the top-level packages that importing a module brings in."""
    code = f"import sys, {module}; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], cwd=str(ROOT), stdout=subprocess.PIPE, check=True,
                              universal_newlines=True).stdout.split())


def test_the_core_imports_numpy_alone():
    optional = {"scipy", "matplotlib", "sklearn", "tqdm", "joblib", "threadpoolctl", "torch", "hypothesis", "pandas"}
    modules = sorted(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
                     for path in (ROOT / "lib").rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
    assert "lib.network" in modules
    assert not optional & imported_by(", ".join(modules))


def test_lib_never_imports_what_stands_on_it():
    for path in (ROOT / "lib").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (exercises|grading|benchmarks|tests)\b", path.read_text("utf-8"),
                             re.MULTILINE), path


def test_the_sheets_seven_gaps_are_marked():
    places = ["lib/gradient_utilities.py", "lib/activations.py", "lib/network.py", "lib/losses.py",
              "lib/experiments.py"]
    text = "".join((ROOT / place).read_text("utf-8") for place in places)
    starts = re.findall(r"^ +# START TODO #{16}$", text, re.MULTILINE)
    ends = re.findall(r"^ +# END TODO #{18}$", text, re.MULTILINE)
    assert len(starts) == len(ends) == 7


def test_every_test_file_runs_alone():
    for path in (ROOT / "tests").glob("test_*.py"):
        assert path.read_text("utf-8").rstrip().endswith("run_this_file(__file__)"), path.name


def test_one_file_alone_says_that_it_is_complete():
    result = subprocess.run([sys.executable, "-m", "tests.test_zero_grad"], cwd=str(ROOT), stdout=subprocess.PIPE,
                            universal_newlines=True)
    assert result.returncode == 0 and result.stdout.rstrip().endswith("Test complete.")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
