"""Hostile submissions gain no point, change nothing else, and leave no process and no file."""
from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Set

import pytest

from grading import box, isolation
from grading.gaps import fill
from grading.grade import Options, grade_submission
from grading.isolation import Limits
from grading.judge import Setting, grade_task
from grading.layout import reference_files
from grading.report import as_html
from tests.hostile import GAP, TOP
from tests.planting import SHEET, on_posix, submission, with_gap

pytestmark = on_posix

KEY = b"a key of the tests"
FAST = Limits(cpu=2, wall=3)
LEVELS = [level for level in isolation.LEVELS if level.name in ("bubblewrap", "namespaces") and isolation.works(level)]
LACKS = "no strong isolation works here: install bubblewrap, or allow namespaces"


def at_the_top(code: str):
    """Return the reference with code at the top of lib/activations.py, and a wrong ReLU."""
    text = fill(reference_files(SHEET)["lib/activations.py"], "ReLU.backward", "return grad")
    head = text.index("from lib.")
    where = len(text) if "class ReLU" in code else head
    return submission({"lib/activations.py": text[:where] + code + "\n" + text[where:]})


def processes(uids: Set[int]) -> Set[str]:
    """Return the processes of these users."""
    found = set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.stat(f"/proc/{entry}").st_uid in uids:
                found.add(entry)
    return found


@pytest.fixture
def witness(tmp_path, monkeypatch):
    """A folder that a box must neither see nor change; after the test, nothing of a box is left."""
    uids: Set[int] = set()
    original = box.take_uid

    def noted():
        uid, holder = original()
        uids.add(uid)
        return uid, holder

    monkeypatch.setattr(box, "take_uid", noted)
    (tmp_path / "secret.txt").write_text("secret")
    yield tmp_path
    assert (tmp_path / "secret.txt").read_text() == "secret" and len(list(tmp_path.iterdir())) == 1
    assert not processes(uids)
    for folder in ("/tmp", "/var/tmp", "/dev/shm", str(Path.home())):
        assert not list(Path(folder).glob("planted*"))


def check(made, level):
    setting = Setting(SHEET, made, level, FAST, KEY)
    result = grade_task(setting, SHEET.task("3.2"), {})
    assert result.points == 0 and result.status in ("wrong", "error", "limit", "to do"), result
    assert len(result.feedback.split()) <= 160 and result.feedback.isprintable()
    assert grade_task(setting, SHEET.task("3.4"), {}).status == "right"


@pytest.mark.skipif(not LEVELS, reason=LACKS)
@pytest.mark.parametrize("name", ["daemon"])
def test_some_attacks(witness, name):
    check(with_gap("3.2", GAP[name]), LEVELS[0])


@pytest.mark.slow
@pytest.mark.skipif(not LEVELS, reason=LACKS)
@pytest.mark.parametrize("name", sorted(GAP))
def test_attacks_from_a_gap(witness, name):
    check(with_gap("3.2", GAP[name]), LEVELS[0])


@pytest.mark.slow
@pytest.mark.skipif(not LEVELS, reason=LACKS)
@pytest.mark.parametrize("name", sorted(GAP)[::5])
def test_attacks_on_the_next_level(witness, name):
    check(with_gap("3.2", GAP[name]), LEVELS[-1])


@pytest.mark.slow
@pytest.mark.skipif(not LEVELS, reason=LACKS)
@pytest.mark.parametrize("name", sorted(TOP))
def test_attacks_at_import(witness, name):
    check(at_the_top(TOP[name]), LEVELS[0])


def test_there_are_many_kinds():
    assert len(GAP) + len(TOP) >= 125


@pytest.mark.skipif(not LEVELS, reason=LACKS)
def test_the_box_does_not_see_other_files(witness):
    code = f"import os\nraise ValueError(sorted(os.listdir('/')) + [os.path.exists({str(witness)!r})])"
    result = grade_task(Setting(SHEET, with_gap("3.2", code), LEVELS[0], FAST, KEY), SHEET.task("3.2"), {})
    assert "False]" in result.feedback and "work" not in result.feedback


def test_foreign_text_is_escaped():
    made = with_gap("3.2", GAP["html in an error"])
    made.name = "<script>alert(2)</script>"
    report = grade_submission(SHEET, made, Options(Limits(), key=KEY))
    page = as_html(report, SHEET)
    assert "<script" not in page and "onerror=alert" in page and "&lt;script&gt;" in page


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
