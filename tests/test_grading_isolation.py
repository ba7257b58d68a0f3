"""How boxes are isolated: the levels, probed; as root and as a plain user; limits; nothing survives."""
from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from unittest.mock import ANY

import pytest

from grading import box, isolation
from grading.batch import as_bytes
from grading.box import Box, BoxError, package_files, plain
from grading.box_folder import box_folder
from grading.ending import children, memory_below, processes, remove
from grading.frames import FrameError, Other, decode, encode, sizes
from grading.grade import GradingError, Options, level_for
from grading.isolation import LEVELS, Limits, strongest, works
from grading.layout import lay_out_whole, write
from grading.sheet import ROOT
from tests.planting import SHEET, on_posix, submission, with_gap

pytestmark = on_posix

WORKING = [level for level in LEVELS if works(level)]


def in_box(code: str, level, **limits):
    """Run code at the import of a student's module."""
    made = submission({"lib/mine.py": code})
    layout = lay_out_whole(SHEET, made)
    with box_folder() as folder:
        write(layout, folder)
        with Box(folder, layout.student_files, level, Limits(**limits)) as box:
            return box.ask({"op": "import", "module": "lib.mine", "overrides": []})


def words_of(code: str, level, **limits) -> BoxError:
    with pytest.raises(BoxError) as caught:
        in_box(code, level, **limits)
    return caught.value


@pytest.mark.parametrize("level", WORKING, ids=lambda level: level.name)
def test_a_box_answers_and_ends_with_all_that_it_started(level):
    before = children()
    in_box("import subprocess\nsubprocess.Popen(['sleep', '1000'])\nimport os\nif os.fork() == 0:\n    os.setsid()\n"
           "    import time\n    time.sleep(1000)\n", level)
    assert children() <= before
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_sleep_1000(pid)]


def _is_sleep_1000(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\x00"
    except OSError:
        return False


@pytest.mark.parametrize("level", [level for level in WORKING if level.is_strong], ids=lambda level: level.name)
def test_a_strong_level_hides_files_and_the_network(level, tmp_path):
    (tmp_path / "secret").write_text("x")
    code = (f"import os, socket\nseen = [path for path in ({str(tmp_path / 'secret')!r}, {str(ROOT / 'lib')!r}, "
            f"'/etc/passwd', '/root/.ssh') if os.path.exists(path)]\n"
            "try:\n    socket.create_connection(('127.0.0.1', 22), 1)\n    seen.append('network')\n"
            "except OSError:\n    pass\ntry:\n    open('/usr/planted', 'w')\n    seen.append('write')\n"
            "except OSError:\n    pass\n"
            "raise ValueError('seen: ' + ' '.join(seen) + ' environment: ' + str('SECRET' in os.environ))")
    os.environ["SECRET"] = "x"
    try:
        message = words_of(code, level).message
    finally:
        del os.environ["SECRET"]
    allowed = "/etc/passwd" if level.name == "namespaces" else ""
    assert message.replace(allowed or "\0", "").replace("  ", " ").strip() == "seen: environment: False"


@pytest.mark.slow
@pytest.mark.parametrize("level", WORKING, ids=lambda level: level.name)
def test_limits(level):
    assert words_of("while True:\n    pass", level, cpu=1, wall=20).status == "limit"
    assert words_of("import time\ntime.sleep(100)", level, wall=1).status == "limit"
    assert words_of("x = bytearray(3 << 30)", level).status == "limit"


def test_a_box_starts_where_the_graders_files_are_its_own(tmp_path, monkeypatch):
    for name in ("child.py", "frames.py", "refused.py", "remote.py"):  # as in Gradescope's container: chmod go-rwx
        shutil.copy(str(box.HERE / name), str(tmp_path / name))
        (tmp_path / name).chmod(0o600)
    monkeypatch.setattr(box, "HERE", tmp_path)
    level = next((level for level in (isolation.USER, isolation.BUBBLEWRAP) if works(level)), isolation.PROCESS)
    assert in_box("x = 1", level) == ({"id": ANY}, [])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="boxes have uids of their own on Linux alone")
def test_no_two_boxes_have_one_uid_whichever_process_they_belong_to(monkeypatch):
    offered = iter([7, 7, 7, 8, 7])
    monkeypatch.setattr(box.secrets, "randbelow", lambda most: next(offered))
    uid, holder = box.take_uid()
    code = ("from grading import box; offered = iter([7, 7, 9]); box.secrets.randbelow = lambda most: next(offered); "
            "print(box.take_uid()[0])")
    other = subprocess.run([sys.executable, "-c", code], cwd=str(ROOT), stdout=subprocess.PIPE, check=True)
    assert int(other.stdout) - uid == 9 - 7
    assert box.take_uid()[0] == uid + 1, "in this process, too"
    holder.close()
    assert box.take_uid()[0] == uid, "it is free again"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="boxes have uids of their own on Linux alone")
def test_where_no_uid_can_be_taken_it_is_said_and_not_tried_for_ever(monkeypatch):
    tried = []

    class Forbidden(box.socket.socket):
        def bind(self, name):
            tried.append(name)
            if len(tried) == 1:
                raise PermissionError("not here")

    monkeypatch.setattr(box.socket, "socket", Forbidden)
    with pytest.raises(PermissionError, match="not here"):
        box.take_uid()


def test_what_is_required_is_checked():
    assert level_for(Options(most="process")).name == "process"
    with pytest.raises(GradingError, match="allows only process.*apt-get install bubblewrap"):
        level_for(Options(most="process", require="strong"))
    assert strongest() in WORKING


def test_on_windows_no_students_code_is_run(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "name", "nt")
        with pytest.raises(GradingError, match="WSL"):
            level_for(Options())


def test_other_libraries_are_not_there():
    names = {name for _, name in package_files(["numpy"])}
    assert "numpy" in names and "torch" not in names
    assert "ImportError" in words_of("import torch\ntorch.tensor", strongest()).kinds


KILLED = """import sys
from grading import isolation
from grading.box import Box
folder, name, level = sys.argv[1:]
with Box(folder, {"lib." + name: "code/lib/" + name + ".py"}, next(
        each for each in isolation.LEVELS if each.name == level)) as box:
    box.ask({"op": "import", "module": "lib." + name, "overrides": []})
"""


@pytest.mark.parametrize("level", [level for level in WORKING if level.is_strong], ids=lambda level: level.name)
def test_nothing_survives_a_grader_that_is_killed(level):
    name = "mine" + secrets.token_hex(8)
    layout = lay_out_whole(SHEET, submission({f"lib/{name}.py": "import os, time\nos.fork()\ntime.sleep(1000)"}))
    with box_folder() as folder:
        write(layout, folder)
        grader = subprocess.Popen([sys.executable, "-c", KILLED, folder, name, level.name], cwd=str(ROOT))
        try:
            while len(started(f"code/lib/{name}.py", isolation.interpreter())) < 2:
                assert grader.poll() is None
                time.sleep(0.05)
        finally:
            grader.kill()
            grader.wait()
        deadline = time.monotonic() + 20
        while started(f"code/lib/{name}.py") and time.monotonic() < deadline:
            time.sleep(0.05)
        left = started(f"code/lib/{name}.py")
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left


def started(mark: str, program: str = ""):
    """Return the processes that have a mark in their command."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            command = Path("/proc", entry, "cmdline").read_bytes() if entry.isdigit() else b""
            if mark.encode() in command and command.startswith(program.encode()):
                found.append(int(entry))
    return found


@pytest.mark.skipif(os.name != "posix", reason="boxes are on POSIX systems alone")
def test_a_folder_is_removed_however_deep_it_is_and_whatever_is_shut():
    with box_folder() as outer:
        os.chmod(outer, 0o777)
        child = os.fork()
        if child == 0:  # a plain user, to whom a folder can be shut
            try:
                if isolation.is_root():
                    os.setresuid(65534, 65534, 65534)
                folder = os.path.join(outer, "box")
                os.makedirs(os.path.join(folder, "shut", "inner"))
                os.chdir(folder)
                os.chmod("shut", 0)
                for _ in range(1500):
                    os.mkdir("deep")
                    os.chdir("deep")
                remove(folder)
                os._exit(os.path.exists(folder))
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0


# ---------------------------------------------------------------------- a plain user

def open_to_all(path):
    return all(folder.stat().st_mode & 0o001 for folder in Path(os.path.realpath(path)).parents)


def plain_python():
    """Return a Python that a plain user can run with these packages, or None: under /root nobody else can."""
    version = "python%d.%d" % sys.version_info[:2]
    for path in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if os.path.exists(path) and open_to_all(path) and open_to_all(sysconfig.get_path("purelib")):
            return path
    return None


PLAIN = plain_python()


@pytest.mark.slow
@pytest.mark.skipif(not isolation.is_root() or shutil.which("setpriv") is None or PLAIN is None,
                    reason="needs root, setpriv, and this Python and its packages where others can read them")
@pytest.mark.parametrize("level", ["bubblewrap", "namespaces", "process"])
def test_a_plain_user_grades(level, tmp_path):
    made = with_gap("3.2", "return grad * (self.input_cache < 0)")
    with box_folder() as folder:
        for path, content in made.files.items():
            (Path(folder) / "group" / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / "group" / path).write_bytes(content)
        copy = Path(folder) / "project"
        shutil.copytree(str(ROOT), str(copy), ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", "results"))
        home = Path(folder) / "home"
        home.mkdir()
        os.chown(str(home), 65534, 65534)
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": sysconfig.get_path("purelib"),
                       "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", PLAIN, "-m", "grading", "grade",
             "backpropagation", str(Path(folder) / "group"), "--isolation", level], cwd=str(copy), env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = done.stdout.decode()
    if f"Isolation: {level}" not in output and "Isolation: " in output:
        pytest.skip(f"a plain user has no {level} here: {output.splitlines()[-1].strip()}")
    assert done.returncode == 0 and "3.2 ReLU.backward                   0 / 1" in output, output
    assert "The mask is inverted" in output and output.count(" right\n") >= 6


# ---------------------------------------------------------------------- frames and words

def test_frames_carry_arrays_and_nothing_else():
    import numpy as np
    data = encode({"a": 1}, [np.arange(6.0).reshape(2, 3), None, "text", np.float32(2), [1], np.array([1j])])
    header, body = sizes(data[:8])
    found, arrays = decode(data[8:8 + header], data[8 + header:])
    assert found == {"a": 1} and arrays[0].tolist() == [[0, 1, 2], [3, 4, 5]] and arrays[1] is None
    assert isinstance(arrays[2], Other) and arrays[3].dtype == np.float32 and isinstance(arrays[5], Other)


@pytest.mark.parametrize("text, body", [
    (b"", b""), (b"[]", b""), (b"{", b""), (b'{"arrays": 3}', b""), (b'{"arrays": [{"shape": [-1]}]}', b""),
    (b'{"arrays": [{"shape": [9]}]}', b"12345678"), (b'{"arrays": []}', b"12345678"), (b"\xff", b""),
    (b'{"arrays": [{"shape": [4611686018427387904, 4]}]}', b""), (b'{"arrays": [{"shape": "a"}]}', b"")])
def test_what_is_no_frame_is_refused(text, body):
    with pytest.raises(FrameError):
        decode(text, body)
    with pytest.raises(FrameError):
        sizes(b"\xff" * 8)


def test_foreign_words_become_plain():
    assert plain("a\x00b\x1b[31m\n\u202ec" + "x" * 500, 20) == "a b [31m cxxxxxxx..."
    assert as_bytes({"x": "\ud800"})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_memory_is_measured():
    assert any(process.pid == os.getpid() for process in processes())
    assert memory_below(os.getpid()) > 10 << 20


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
