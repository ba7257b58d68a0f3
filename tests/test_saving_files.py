"""Files that are written as a whole: links, permissions, leftovers, Ctrl-C at any moment."""
from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from lib.network import Linear
from lib.saving import files
from lib.saving.files import write_atomically
from lib.saving.model_files import load, save
from lib.validation import InputError

posix = pytest.mark.skipif(os.name != "posix", reason="links and permissions are POSIX's")


def write(path, content=b"new"):
    return write_atomically(path, lambda file: file.write(content))


@posix
def test_a_symbolic_link_is_written_through_and_permissions_stay(tmp_path):
    (tmp_path / "disk").mkdir()
    target, link = tmp_path / "disk" / "real.npz", tmp_path / "link.npz"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert write(link) == link
    assert link.is_symlink() and target.read_bytes() == b"new" and target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(str(tmp_path / "disk")) == ["real.npz"]
    new = write(tmp_path / "new.txt")
    mask = os.umask(0)
    os.umask(mask)
    assert new.stat().st_mode & 0o777 == 0o666 & ~mask


def test_home_and_a_folder_as_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    model = Linear(2, 3)
    assert save(model, "~/models/net.npz") == tmp_path / "models" / "net.npz"
    other = load(Linear(2, 3), "~/models/net.npz")
    np.testing.assert_array_equal(other.W.data, model.W.data)
    for call in (lambda: save(model, tmp_path), lambda: load(model, tmp_path), lambda: write(tmp_path)):
        with pytest.raises(InputError, match="is a folder. Name a file in it"):
            call()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        for use in (lambda: write_atomically(path, lambda file: file.write(b"x")), lambda: save(Linear(2, 2), path),
                    lambda: load(Linear(2, 2), path)):
            with pytest.raises(InputError, match="is a device or a pipe. Name a file"):
                use()
    assert pipe.is_fifo() and sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


@pytest.mark.parametrize("path", [3, b"model.npz", None, 1.5, "~nobody_of_that_name/model.npz"])
def test_what_is_no_path_gets_a_sentence(path):
    with pytest.raises(InputError, match="A path is a text|There is no home folder"):
        save(Linear(2, 2), path)


def test_what_a_killed_process_left_behind_is_cleared(tmp_path):
    code = ("import os, signal\nfrom lib.saving.files import write_atomically\n"
            f"write_atomically({str(tmp_path / 'run[1].npz')!r}, lambda file: (file.write(b'part'), os._exit(9)))")
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 9
    assert [name.endswith(".tmp") for name in os.listdir(str(tmp_path))] == [True]
    bystander = tmp_path / "run[1].npz.notes.tmp"
    bystander.write_text("mine")
    alive = tmp_path / f"run[1].npz.{os.getpid()}.x.tmp"
    alive.write_text("of a process that is there")
    write(tmp_path / "run[1].npz")
    assert sorted(os.listdir(str(tmp_path))) == sorted(["run[1].npz", bystander.name, alive.name])


@pytest.mark.parametrize("moment", ["open", "chmod", "replace", "fsync"])
@pytest.mark.parametrize("after", [False, True])
def test_ctrl_c_while_a_file_is_written_leaves_the_old_or_the_new_one(moment, after, tmp_path, monkeypatch):
    path = write(tmp_path / "file", b"old")
    original = getattr(os, moment)

    def interrupted(*args):
        if after:
            original(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, moment, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(path)
    assert path.read_bytes() == (b"new" if moment == "replace" and after else b"old")
    assert os.listdir(str(tmp_path)) == ["file"]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
