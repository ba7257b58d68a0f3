"""Every command: --help, wrong values in a line with exit status 2, a reader that leaves, from any folder."""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.saving.command_line import output_file, output_folder, picture_file, run_command, whole_number

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = sorted(path for path in (ROOT / "exercises").glob("*/*.py") if "__main__" in path.read_text("utf-8"))
MODULES = ("lib.gradient_checking", "lib.gradient_utilities", "lib.walkthrough", "benchmarks",
           "docs.pen_and_paper", "exercises.pages", "tests.mutants", "tests.mutants.wild",
           "tests.mutants.independent")
COMMANDS = [pytest.param([str(path)], id=path.stem) for path in PROGRAMS + [ROOT / "run_xor_experiment.py"]] + \
    [pytest.param(["-m", module], id=module) for module in MODULES]


def run(command, folder, **options):
    """Run a command; scripts by their path from another folder, modules from the root folder."""
    return subprocess.run([sys.executable, *command], cwd=str(ROOT if command[0] == "-m" else folder),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                          env=dict(os.environ, MPLBACKEND="Agg"), **options)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_a_wrong_option_by_path_from_another_folder(command, tmp_path):
    helped = run(command + ["--help"], tmp_path)
    assert helped.returncode == 0 and helped.stdout.startswith("usage:") and not helped.stderr
    wrong = run(command + ["--nonsense"], tmp_path)
    assert wrong.returncode == 2 and len(wrong.stderr.splitlines()) == 1 and "--nonsense" in wrong.stderr
    assert not wrong.stdout and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name, arguments, message", [
    ("digits/train_network.py", ["--examples", "-49000"], "--examples: expected a whole number from 1 to 50000"),
    ("digits/train_network.py", ["--plot", "/dev/null/here"], "can't write into '/dev/null/here'"),
    ("digits/train_convolutional.py", ["--checkpoint", "/dev/null/run.npz"], "can't write '/dev/null/run.npz'"),
    ("optimisation/plot_trained_models.py", [], "There is no result 'optimizers_comparison'"),
    ("optimisation/plot_lr_schedules.py", ["--jobs", "0"], "--jobs: expected a whole number from 1 upwards"),
    ("optimisation/plot_lr_schedules.py", ["--results", "/dev/null/here"], "can't write into '/dev/null/here'"),
])
def test_wrong_values_are_said_in_a_line_before_the_work(name, arguments, message, tmp_path):
    result = run([str(ROOT / "exercises" / name), *arguments], tmp_path)
    assert result.returncode == 2 and message in result.stderr and len(result.stderr.splitlines()) == 1


def test_grading_says_in_a_line_what_is_missing(tmp_path):
    result = run(["-m", "grading", "grade-all", "backpropagation"], tmp_path)
    assert result.returncode == 2 and "required: folder, out" in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_program_runs_by_its_path_from_another_folder(tmp_path):
    result = run([str(ROOT / "exercises/optimisation/plot_lr_schedules.py"), "--results", "here"], tmp_path)
    assert result.returncode == 0 and (tmp_path / "here/optimisation/lr_schedules.png").exists(), result.stderr


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_a_program_finds_the_root_folder_and_ends_as_commands_do(path):
    text = path.read_text("utf-8")
    assert 'sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))' in text
    assert text.endswith('if __name__ == "__main__":\n    run_command(main)\n')


def test_a_reader_that_leaves_ends_a_command_quietly(tmp_path):
    code = ("from lib.saving.command_line import run_command\n"
            "run_command(lambda: [print(number) for number in range(100000)])")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=str(ROOT), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, universal_newlines=True)
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(30) == 141
    process.stderr.close()


def test_how_a_command_ends(capsys, monkeypatch):
    def fail(error):
        raise error

    monkeypatch.setattr(sys, "argv", ["somewhere/program.py"])
    for error, message in ((FileNotFoundError("There is no file 'x'.\nReally."), "There is no file 'x'. Really."),
                           (ImportError("It needs matplotlib."), "It needs matplotlib.")):
        with pytest.raises(SystemExit) as ended:
            run_command(lambda: fail(error))
        assert ended.value.code == 2 and capsys.readouterr().err == f"program.py: {message}\n"
    with pytest.raises(SystemExit, match="Interrupted"):
        run_command(lambda: fail(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: 3)
    assert ended.value.code == 3
    run_command(lambda: None)
    with pytest.raises(ZeroDivisionError):  # a mistake in the program shows where it is
        run_command(lambda: 1 / 0)


class Sequential:
    """The course's edition: it has modules, no items, and no settings beyond the sheet's."""

    def __init__(self, *modules):
        self.modules = modules


@pytest.mark.parametrize("use, said", [
    (lambda: Sequential(bias=False), "'bias'"), (lambda: Sequential(rng=1), "'rng'"),
    (lambda: Sequential()[0], "not subscriptable"), (lambda: len(Sequential()), "len")])
def test_what_a_students_file_lacks_is_said_in_a_line(use, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["program.py"])
    with pytest.raises(SystemExit) as ended:
        run_command(use)
    error = capsys.readouterr().err
    assert ended.value.code == 2 and said in error and "course's edition" in error and error.count("\n") == 1
    with pytest.raises(TypeError):
        run_command(lambda: Sequential(other=1))


def test_places_to_write_to(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert output_folder("~/new/folder") == tmp_path / "new" / "folder" and (tmp_path / "new" / "folder").is_dir()
    assert output_file("~/new/run.npz") == str(tmp_path / "new" / "run.npz")
    assert picture_file(str(tmp_path / "a.PNG")).endswith("a.PNG")
    (tmp_path / "file").write_text("")
    for read, text, message in ((output_file, str(tmp_path), "is a folder"), (picture_file, "a.txt", "ending in .png"),
                                (output_folder, str(tmp_path / "file"), "can't write into"),
                                (output_file, str(tmp_path / "file" / "x"), "can't write"),
                                (picture_file, str(tmp_path / "file" / "x.png"), "no folder"),
                                (whole_number(1), "1.5", "from 1 upwards"), (whole_number(0, 3), "4", "from 0 to 3")):
        with pytest.raises(argparse.ArgumentTypeError, match=message):
            read(text)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new"]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
