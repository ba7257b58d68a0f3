"""Reading what was handed in: folders and zips in every state, feedback.md, and what the text tells."""
from __future__ import annotations

import os
import shutil
import zipfile

import pytest

from grading.ending import remove
from grading.feedback import read_feedback
from grading.gaps import fill, find_gaps, gap_text, outside
from grading.grade import for_the_tutor
from grading.layout import helpers, reference_files
from grading.static import facts
from grading.submission import SubmissionError, read_submission
from tests.planting import SHEET, submission, with_gap

FILES = reference_files(SHEET)


def write(folder, files=None):
    for path, text in (files or {path: FILES[path] for path in SHEET.gap_files}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_folder_zip_and_nested_folder(tmp_path):
    write(tmp_path / "a" / "repo-main" / "deep")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for path in SHEET.gap_files:
            archive.writestr(f"group/{path}", FILES[path])
    (tmp_path / "c").mkdir()
    shutil.copy(tmp_path / "b.zip", tmp_path / "c" / "solution.zip")
    for name in ("a", "b.zip", "c"):
        made = read_submission(tmp_path / name, SHEET)
        assert set(SHEET.gap_files) <= set(made.files), name
        assert made.name == name.replace(".zip", "")


def test_what_leads_out_is_left_out(tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("secret = 1")
    folder = write(tmp_path / "s")
    (folder / "lib" / "losses.py").unlink()
    os.symlink(str(secret), str(folder / "lib" / "losses.py"))
    os.symlink(str(tmp_path), str(folder / "link"))
    if hasattr(os, "mkfifo"):  # Windows has none
        os.mkfifo(str(folder / "lib" / "pipe.py"))
    made = read_submission(folder, SHEET)
    assert "lib/losses.py" not in made.files and not any("secret" in path for path in made.files)
    assert "lib/pipe.py" not in made.files
    assert not hasattr(os, "mkfifo") or any("regular file" in note for note in made.notes)
    with zipfile.ZipFile(tmp_path / "slip.zip", "w") as archive:
        archive.writestr("../../evil.py", "x")
        archive.writestr("/abs.py", "x")
        archive.writestr("C:/abs.py", "x")
        info = zipfile.ZipInfo("lib/link.py")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    made = read_submission(tmp_path / "slip.zip", SHEET)
    assert not made.files and len([note for note in made.notes if "left out" in note]) == 4


def test_bombs_and_masses_are_limited(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lib/network.py", b"#" * (50 << 20))
    assert len(read_submission(tmp_path / "bomb.zip", SHEET).files["lib/network.py"]) == 1 << 20
    monkeypatch.setattr("grading.submission.MOST_ENTRIES", 20)
    write(tmp_path / "many", {f"x{i}.py": "x" for i in range(50)})
    assert any("It has 50 files; 20 were" in note for note in read_submission(tmp_path / "many", SHEET).notes)
    write(tmp_path / "many", {path: FILES[path] for path in SHEET.gap_files})
    write(tmp_path / "many", {f"images/{i}.png": "x" for i in range(50)})
    assert set(SHEET.gap_files) <= set(read_submission(tmp_path / "many", SHEET).files), "nothing crowds them out"
    monkeypatch.setattr("grading.submission.MOST_SEEN", 70)
    assert any("more than 70 files" in note for note in read_submission(tmp_path / "many", SHEET).notes)


def test_what_is_too_deep_or_too_long_is_left_out_and_noted(tmp_path, monkeypatch):
    """It had stopped the grading of this submission, and of the whole class when that was resumed."""
    write(tmp_path / "s", {"lib/mine.py": "x = 1"})
    monkeypatch.chdir(tmp_path / "s")
    try:
        for _ in range(1500):
            os.mkdir("deep")
            os.chdir("deep")
        made = read_submission(tmp_path / "s", SHEET)
    finally:
        os.chdir(tmp_path)
        remove(str(tmp_path / "s"))
    assert "lib/mine.py" in made.files and len([note for note in made.notes if "255 bytes" in note]) == 1
    with zipfile.ZipFile(tmp_path / "long.zip", "w") as archive:
        archive.writestr("lib/mine.py", "x = 1")
        for name in ("lib/" + "deep/" * 5000 + "x.py", "lib/" + "x" * 300 + ".py"):
            archive.writestr(name, "x = 1")
    made = read_submission(tmp_path / "long.zip", SHEET)
    assert list(made.files) == ["lib/mine.py"] and len([note for note in made.notes if "255 bytes" in note]) == 1


def test_members_of_a_zip_that_cannot_be_read_are_noted(tmp_path):
    """They were called missing: a password, or a download that broke off, was never told."""
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for path in SHEET.gap_files:
            archive.writestr(path, FILES[path])
    data = (tmp_path / "s.zip").read_bytes().replace(b"class Linear", b"class linear")
    (tmp_path / "s.zip").write_bytes(data)
    made = read_submission(tmp_path / "s.zip", SHEET)
    assert "lib/network.py" not in made.files and "1 files in the zip can't be read" in made.notes[0]


def test_a_zip_that_may_not_be_read_is_no_submission(tmp_path, monkeypatch):
    def shut(path, *arguments, **others):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "s.zip").write_bytes(b"x")
    monkeypatch.setattr("grading.submission.open", shut, raising=False)
    with pytest.raises(SubmissionError, match="s.zip can't be read: Permission denied"):
        read_submission(tmp_path / "s.zip", SHEET)


def test_odd_names_and_encodings(tmp_path):
    folder = write(tmp_path / "s", {"lib/new\nline.py": "x", "lib/quo'te\".py": "x", "lib/\U0001f600.py": "x",
                                    "lib/losses.py": b"\xef\xbb\xbf# caf\xc3\xa9\r\nx = 1\r\n",
                                    "lib/network.py": "# café".encode("latin-1")})
    made = read_submission(folder, SHEET)
    assert made.text("lib/losses.py") == "# café\nx = 1\n" and "caf\ufffd" in made.text("lib/network.py")
    assert helpers(made, list(FILES)) == {}, "no such name can be imported"
    assert len(made.digest()) == 64


@pytest.mark.parametrize("content, noted", [
    ("# für".encode("latin-1"), True), ("# für".encode("utf-16"), True), (b"# coding: nonsense\n", True),
    ("# für".encode(), False), ("\ufeff# für".encode(), False), ("# coding: latin-1\n# für".encode("latin-1"), False)])
def test_a_file_that_python_cannot_decode_is_noted(tmp_path, content, noted):
    made = read_submission(write(tmp_path / "s", {"lib/network.py": content}), SHEET)
    assert any("isn't in UTF-8" in note for note in made.notes) == noted


def test_wrong_case_flat_twice_notebook_and_nothing(tmp_path):
    made = read_submission(write(tmp_path / "case", {"Lib/Network.py": "x = 1"}), SHEET)
    assert made.text("lib/network.py") == "x = 1" and "upper and lower case" in " ".join(made.notes)
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for path, text in (("lib/Network.py", "x = 1"), ("lib/network.py", "x = 2"), ("losses.py", "y = 2")):
            archive.writestr(path, text)
    made = read_submission(tmp_path / "both.zip", SHEET)
    assert made.text("lib/network.py") == "x = 2" and "is there, too" in " ".join(made.notes)
    assert made.text("lib/losses.py") == "y = 2", "one file alone in another folder"
    made = read_submission(write(tmp_path / "feedback", {"Feedback.md": "# Feedback\n[4]\n"}), SHEET)
    assert made.text("feedback.md") == "# Feedback\n[4]\n"
    made = read_submission(write(tmp_path / "flat", {"network.py": "x = 1", "losses.py": "y = 2"}), SHEET)
    assert made.text("lib/losses.py") == "y = 2" and "another folder" in " ".join(made.notes)
    write(tmp_path / "two" / "old")
    made = read_submission(write(tmp_path / "two").parent / "two", SHEET)
    assert "2 times" in " ".join(made.notes)
    made = read_submission(write(tmp_path / "book", {"work.ipynb": "{}"}), SHEET)
    assert "notebook" in " ".join(made.notes)
    (tmp_path / "empty").mkdir()
    assert "Missing" in " ".join(read_submission(tmp_path / "empty", SHEET).notes)
    with pytest.raises(SubmissionError, match="no submission at"):
        read_submission(tmp_path / "nothing", SHEET)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(SubmissionError, match="isn't a zip"):
        read_submission(tmp_path / "broken.zip", SHEET)


def test_planted_modules_hide_nothing():
    made = submission({"numpy.py": "x", "random.py": "x", "frames.py": "x", "lib/mine.py": "x",
                       "tests/conftest.py": "x", "tools/extra.py": "x", "sitecustomize.py": "x",
                       "lib/network/__init__.py": "x", "lib/losses.py/x.py": "x"})
    assert {"lib/mine.py", "tools/extra.py"} <= set(helpers(made, list(FILES)))
    assert not {"numpy.py", "random.py", "frames.py", "tests/conftest.py", "lib/network/__init__.py",
                "lib/losses.py/x.py"} & set(helpers(made, list(FILES)))


# ---------------------------------------------------------------------- feedback.md

@pytest.mark.parametrize("text, filled, hours", [
    (None, False, []), ("", False, []),
    ("# Feedback\n## Duration (hours)?\nExample for a group of three: [5.5, 4, 7]\n\n[]\n", False, []),
    ("# Feedback\n## Duration (hours)?\nExample: [5.5, 4, 7]\n\n[3, 4.5]\n", True, [3, 4.5]),
    ("# Feedback\n## Duration (hours)?\n[5.5,4]\n", True, [5.5, 4]),
    ("# Feedback\n## Duration (hours)?\n6h, 7h\n", True, [6, 7]),
    ("# Feedback\n## Helpful?\nYes, the checker.\n## Duration (hours)?\n[]\n", True, []),
    ("# Feedback\n## Helpful?\n\n<!-- none -->\n", False, []),
    ("## Duration (hours)?\n[1e9]\n", True, [1, 9]),
])
def test_feedback(text, filled, hours):
    assert read_feedback(text) == (filled, hours)


def test_the_template_is_not_filled():
    from grading.sheet import ROOT
    assert read_feedback((ROOT / "feedback.md").read_text()) == (False, [])


# ---------------------------------------------------------------------- gaps and facts

def test_gaps_are_found_in_what_does_not_parse():
    text = FILES["lib/network.py"] + "\ndef (:\n"
    assert {"Linear.backward", "Sequential.backward"} <= set(find_gaps(text))
    changed = fill(text, "Sequential.backward", "a = 1\n\nreturn a")
    assert gap_text(changed, "Sequential.backward") == "a = 1\n\nreturn a"
    assert outside(changed) == outside(text)


def asked(files, gaps=None, bases=None):
    return facts({"files": files, "gaps": gaps or {}, "bases": bases or {}, "packages": ["numpy"], "columns": 120})


def test_facts_of_the_text():
    text = ("from torch import nn\nimport numpy as np\nfrom lib.x import y\nimport importlib\n"
            "importlib.import_module('sklearn.svm')\n\n\ndef f(x: int | None, y: list[int]):\n"
            "    return zip(x, y, strict=True)\n")
    found = asked({"a.py": text})
    assert {name for _, _, name in found["imports"]} == {"torch", "sklearn"}
    assert {what for _, _, what in found["newer"]} == {"X | Y in a type", "list[...] in a type", "zip(strict=...)"}
    assert asked({"a.py": "x = (1"})["broken"][0][0] == "a.py"
    assert [entry[2] for entry in asked({"a.py": "x=1\n"})["style"]] == ["E225"]


def test_facts_of_a_gap():
    made = with_gap("3.3", "for i in range(3):\n    self.b.grad += 0")
    gap = asked({"n.py": made.text("lib/network.py")}, {"n.py": ["Linear.backward"]})["gaps"]["n.py:Linear.backward"]
    assert gap["filled"] and not gap["comment"] and len(gap["loops"]) == 1
    changed = asked({"n.py": made.text("lib/network.py").replace("Sequential expects", "Expects")},
                    bases={"n.py": FILES["lib/network.py"]})["changed"]
    assert len(changed) == 1 and not asked({"n.py": made.text("lib/network.py")},
                                           bases={"n.py": FILES["lib/network.py"]})["changed"]


@pytest.mark.parametrize("body, filled", [
    (None, False), ("pass", False), ("...", False), ("'words'\n        raise NotImplementedError", False),
    ("return 1", True), ("(", False)])
def test_a_gap_without_marks_is_filled_if_its_function_is_written(body, filled):
    text = "" if body is None else f"class Linear:\n    def backward(self):\n        {body}\n"
    gap = asked({"n.py": text}, {"n.py": ["Linear.backward"]})["gaps"]["n.py:Linear.backward"]
    assert gap["filled"] == filled and not gap["marked"]


def test_a_tutor_hears_of_what_could_not_be_read():
    entries = for_the_tutor(SHEET, submission(), None, None, [])
    assert entries[-1]["what"] == "reading"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
