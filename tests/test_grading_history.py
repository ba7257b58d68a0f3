"""What a clone's history tells: the first files, the commits, and work that was left on another branch."""
from __future__ import annotations

import shutil
import subprocess

import pytest

from grading.gaps import fill
from grading.grade import Options, for_the_tutor, grade_submission, is_handed_out
from grading.history import read_history
from grading.submission import read_submission
from tests.planting import SHEET, submission
from tests.test_grading_submission import FILES, write


def git(folder, *words):
    options = [word for option in ("user.name=x", "user.email=x@x", "init.defaultBranch=master")
               for word in ("-c", option)]
    subprocess.run(["git"] + options + list(words), cwd=str(folder), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="Git isn't installed")
def test_a_clone_tells_its_first_files_and_its_commits(tmp_path):
    handed_out = {path: FILES[path].replace("Returns:", "Gives:") for path in SHEET.gap_files}
    for task in SHEET.code_tasks:
        handed_out[task.gap.file] = fill(handed_out[task.gap.file], task.gap.name, "raise NotImplementedError")
    folder = write(tmp_path / "clone", handed_out)
    git(folder, "init")
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "release")
    for i in range(5):
        (folder / "lib" / "losses.py").write_text(FILES["lib/losses.py"] + f"# {i}\n")
        git(folder, "commit", "-am", str(i))
    ran = tmp_path / "ran"
    (folder / ".git" / "config").write_text(f"[core]\n\tfsmonitor = \"touch {ran}\"\n\tpager = \"touch {ran}\"\n"
                                            f"[alias]\n\trev-list = \"!touch {ran}\"\n[log]\n\tshowSignature = true\n"
                                            f"[gpg]\n\tprogram = \"{ran}\"\n")
    write(folder, {"lib/helpers.py": "x = 1\n"})
    made = read_submission(folder, SHEET)
    history = read_history(made.git, ["lib/losses.py"], "master")
    assert history.commits == 5 and "# 4" not in history.first["lib/losses.py"]
    assert set(SHEET.gap_files) <= history.names and "lib/helpers.py" not in history.names
    report = grade_submission(SHEET, made, Options())
    words = {entry["what"]: entry["text"] for entry in report["for_the_tutor"]}
    assert "5 commits" in words["pushes"] and "lib/losses.py" in words["changes outside the gaps"]
    assert words["added files"] == "lib/helpers.py."
    assert not ran.exists(), "a submission's own configuration of Git must not be obeyed"


@pytest.mark.skipif(shutil.which("git") is None, reason="Git isn't installed")
def test_work_on_a_branch_that_was_not_merged_is_told(tmp_path):
    folder = write(tmp_path / "clone")
    git(folder, "init")
    for name, branch in (("a", "dev"), ("b", "dev"), ("c", "master")):
        (folder / f"{name}.txt").write_text(name)
        git(folder, "add", "-A")
        git(folder, "commit", "-m", name)
        git(folder, "checkout", "-B", branch)
    assert read_history(folder / ".git", [], "master").missed == {}
    git(folder, "reset", "--hard", "HEAD~2")
    history = read_history(folder / ".git", [], "master")
    assert history.missed == {"dev": 2}
    entries = for_the_tutor(SHEET, read_submission(folder, SHEET), None, history, [])
    assert [entry["text"] for entry in entries if entry["what"] == "branches"] == [
        "dev has 2 commits that what was handed in lacks. Was it to be merged?"]
    git(folder, "checkout", "dev")
    history = read_history(folder / ".git", [], "master")
    entries = for_the_tutor(SHEET, read_submission(folder, SHEET), None, history, [])
    assert [entry["text"] for entry in entries if entry["what"] == "branches"] == [
        "master lacks 2 commits of what is checked out, and was graded."]


def test_a_first_commit_that_is_solved_already_is_not_what_was_handed_out():
    """Who uploads the finished work in one commit had lost the bonus for feedback.md, which looked untouched."""
    solved = {path: FILES[path].replace("\n", "\r\n") for path in SHEET.gap_files}
    gap = SHEET.task("3.2").gap
    empty = {gap.file: fill(FILES[gap.file], gap.name, "raise NotImplementedError")}
    assert not is_handed_out(SHEET, submission(), solved)
    assert is_handed_out(SHEET, submission(), empty) and is_handed_out(SHEET, submission(empty), empty)


def test_what_is_no_repository_tells_nothing(tmp_path):
    (tmp_path / ".git").mkdir()
    assert read_history(tmp_path / ".git", [], "master") is None
    (tmp_path / ".git" / "objects").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/master; touch x\n")
    assert read_history(tmp_path / ".git", [], "master") is None


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
