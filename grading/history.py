"""What a clone's history tells: how the files looked at first, and how often master was changed.

Git's commands obey a repository's own configuration, which may run programs. So none is run inside of a submission:
its objects are read through an empty repository of ours.
"""
from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Optional

SECONDS = 60
MOST_BYTES = 1 << 20
MOST_FILES = 100
MOST_BRANCHES = 10
NAME = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")


class History(NamedTuple):
    """What a clone's history tells.

    Attributes:
        first: the first commit's texts by path, of the paths that were asked for.
        commits: the number of commits on a branch after the first.
        names: the paths of all files in the first commit.
        missed: by branch, how many commits it has that aren't in what is checked out.
        unmerged: how many commits of what is checked out the branch lacks.
    """

    first: Dict[str, str]
    commits: Optional[int]
    names: FrozenSet[str] = frozenset()
    missed: Mapping[str, int] = {}
    unmerged: int = 0


def read_history(git: Path, paths: List[str], branch: str) -> Optional[History]:
    """Return what is known of a clone's history, or None."""
    objects = git / "objects"
    if not objects.is_dir() or objects.is_symlink():
        return None
    heads = _heads(git)
    head = heads.get(f"refs/heads/{branch}") or heads.get(f"refs/remotes/origin/{branch}") or heads.get("HEAD")
    if head is None:
        return None
    with tempfile.TemporaryDirectory(prefix="history-") as folder:
        ours = Path(folder)
        for name in ("objects/info", "refs/heads"):
            (ours / name).mkdir(parents=True)
        (ours / "HEAD").write_text("ref: refs/heads/none\n")
        (ours / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        (ours / "objects/info/alternates").write_text(f"{objects.resolve()}\n")
        roots = _git(ours, "rev-list", "--max-parents=0", head)
        line = _count(ours, "--first-parent", head)
        if not roots:
            return None
        root = roots.split()[-1]
        names = frozenset((_git(ours, "ls-tree", "-r", "-z", "--name-only", root) or "").split("\0")) - {""}
        first = {}
        for path in [path for path in paths if path in names][:MOST_FILES]:
            text = _git(ours, "cat-file", "blob", f"{root}:{path}")
            if text is not None:
                first[path] = text
        others = {commit: ref.split("/")[-1] for ref, commit in heads.items() if ref.startswith("refs/")}
        missed = {name: _count(ours, commit, "^" + heads.get("HEAD", head)) or 0
                  for commit, name in list(others.items())[:MOST_BRANCHES]}
        return History(first, None if line is None else line - 1, names,
                       {name: count for name, count in missed.items() if count},
                       _count(ours, heads.get("HEAD", head), "^" + head) or 0)


def _count(folder: Path, *words: str) -> Optional[int]:
    """Return how many commits `git rev-list` finds, or None."""
    line = _git(folder, "rev-list", "--count", *words)
    return int(line) if line and line.strip().isdigit() else None


def _heads(git: Path) -> Dict[str, str]:
    """Return the commits that refs name, read from the files themselves."""
    found: Dict[str, str] = {}
    packed = _small_text(git / "packed-refs") or ""
    for line in packed.split("\n"):
        parts = line.split()
        if len(parts) == 2 and NAME.match(parts[0]):
            found[parts[1]] = parts[0]
    for folder in ("refs/heads", "refs/remotes/origin"):
        for path in sorted((git / folder).glob("*"))[:100]:
            text = (_small_text(path) or "").strip()
            if NAME.match(text):
                found[f"{folder}/{path.name}"] = text
    head = (_small_text(git / "HEAD") or "").strip()
    target = head[5:] if head.startswith("ref: ") else ""
    if NAME.match(head) or target in found:
        found["HEAD"] = found.get(target, head)
    return found


def _small_text(path: Path) -> Optional[str]:
    from grading.submission import read_regular
    content = read_regular(str(path), 1 << 18)
    return None if content is None else content.decode("utf-8", "replace")


def _git(folder: Path, *words: str) -> Optional[str]:
    environment = {"PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder),
                   "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
    try:
        done = subprocess.run(["git", f"--git-dir={folder}"] + list(words), env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode or len(done.stdout) > MOST_BYTES:
        return None
    return done.stdout.decode("utf-8", "replace")
