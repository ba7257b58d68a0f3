"""What a group has handed in: a folder, a zip or a Git clone, read with care. Nothing in it is run or followed here."""
from __future__ import annotations

import hashlib
import io
import os
import stat
import tokenize
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Dict, Iterable, Iterator, List, Optional, Tuple, Union

from grading.sheet import Sheet

MOST_ENTRIES = 5000  # that are read; images and the like don't count
MOST_SEEN = 100000  # that are walked over in a folder
MOST_BYTES = 1 << 20  # of a file that is read
MOST_TOTAL = 32 << 20
TOO_MUCH = f"It has more than {MOST_TOTAL >> 20} MB: not all of it was read."
MOST_NOTES = 20
LONGEST_PATH = 255  # bytes; every system takes it below a box's folder, and a walk to its end isn't deep
SKIPPED = {".git", ".venv", "venv", "env", "__pycache__", "node_modules", ".idea", ".vscode", ".pytest_cache",
           "__MACOSX", "results", "build", "dist"}
READ = (".py", ".md", ".txt", ".pdf", ".ipynb", ".csv")


class SubmissionError(ValueError):
    """It can't be read at all."""


class Submission:
    """The files of a submission.

    Attributes:
        files: contents by their path from the submission's root, such as "lib/network.py"; only what grading looks at.
        notes: what a tutor should know of how it was handed in.
        git: the folder .git, if it is a clone.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: Dict[str, bytes] = {}
        self.notes: List[str] = []
        self.git: Optional[Path] = None

    def text(self, path: str) -> Optional[str]:
        """Return a file's text as Python would read it, or None; bytes that aren't UTF-8 become U+FFFD."""
        data = self.files.get(path)
        if data is None:
            return None
        return data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")

    def digest(self) -> str:
        """Return a hash of all that is graded."""
        state = hashlib.sha256()
        for path in sorted(self.files):
            state.update(path.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(self.files[path]).digest())
        return state.hexdigest()


def name_of(path: Path) -> str:
    """Return a submission's name: that of its folder, or of its zip without the ending."""
    return path.name[:-len(".zip")] if path.name.lower().endswith(".zip") else path.name


def read_submission(path: Union[str, Path], sheet: Sheet) -> Submission:
    """Read a submission.

    Raises:
        SubmissionError: it isn't a folder or a zip, or can't be opened.
    """
    path = Path(path)
    submission = Submission(name_of(path))
    try:
        mode = os.lstat(str(path)).st_mode if not path.is_symlink() else os.stat(str(path)).st_mode
    except (OSError, ValueError) as error:
        raise SubmissionError(f"There is no submission at {path}: expected a folder or a zip.") from error
    if stat.S_ISDIR(mode):
        found = dict(_of_folder(path, sheet, submission))
        zips = [name for name in found if name.lower().endswith(".zip")]
        if zips and not any(name.endswith(".py") for name in found):
            submission.notes.append(f"The files stand in a zip in the folder: {zips[0]}.")
            found.update(_of_zip(io.BytesIO(found[zips[0]]), sheet, submission))
    elif stat.S_ISREG(mode):
        try:
            with open(str(path), "rb") as file:
                found = dict(_of_zip(file, sheet, submission))
        except OSError as error:
            raise SubmissionError(f"{path} can't be read: {error.strerror}.") from error
    else:
        raise SubmissionError(f"{path} is neither a folder nor a zip.")
    _choose_root(found, sheet, submission)
    git = path / ".git"
    if stat.S_ISDIR(mode) and git.is_dir() and not git.is_symlink():
        submission.git = git
    return submission


def _is_wanted(path: PurePosixPath) -> bool:
    return not SKIPPED & set(path.parts[:-1]) and not path.name.startswith("._") and path.suffix.lower() in READ + (
        ".zip",)


def _of_folder(root: Path, sheet: Sheet, submission: Submission) -> Iterator[Tuple[str, bytes]]:
    """Yield (path, content) of the regular files, without following links."""
    paths: List[PurePosixPath] = []
    seen = 0
    for folder, folders, names in os.walk(str(root)):
        folders[:] = sorted(name for name in folders if name not in SKIPPED
                            and not os.path.islink(os.path.join(folder, name))
                            and not _is_too_long(os.path.relpath(os.path.join(folder, name), str(root)), submission))
        seen += len(names)
        if seen > MOST_SEEN:
            submission.notes.append(f"It has more than {MOST_SEEN} files: not all of them were looked at.")
            break
        here = PurePosixPath(os.path.relpath(folder, str(root)).replace(os.sep, "/"))
        paths += [here / name for name in sorted(names)]
    total = 0
    for path in _chosen(paths, sheet, submission):
        if not _is_too_long(path, submission):
            content = read_regular(os.path.join(str(root), *path.parts),
                                   MOST_BYTES if path.suffix != ".zip" else MOST_TOTAL)
            if content is None:
                submission.notes.append(f"{_shown(path)} isn't a regular file that can be read: left out.")
            else:
                total += len(content)
                yield str(path), content
        if total > MOST_TOTAL:
            submission.notes.append(TOO_MUCH)
            return


def _chosen(paths: Iterable[PurePosixPath], sheet: Sheet, submission: Submission) -> List[PurePosixPath]:
    """Return which files are read, those that are named as the sheet's first: nothing may crowd them out."""
    own = {file.split("/")[-1] for file in sheet.gap_files + ["feedback.md"]}
    chosen = sorted(filter(_is_wanted, paths), key=lambda path: path.name.lower() not in own)
    if len(chosen) > MOST_ENTRIES:
        submission.notes.append(f"It has {len(chosen)} files; {MOST_ENTRIES} were read, the sheet's own among them.")
    return chosen[:MOST_ENTRIES]


def read_regular(path: str, most: int) -> Optional[bytes]:
    """Return a file's content; None for links, pipes, devices, and what may not be read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(most)


def _of_zip(file: io.IOBase, sheet: Sheet, submission: Submission) -> Iterator[Tuple[str, bytes]]:
    """Yield (path, content) of a zip's members; paths that lead out of it, links and bombs are left out."""
    broken = []
    try:
        with zipfile.ZipFile(file) as archive:
            members = {}
            for info in archive.infolist():
                path = PurePosixPath(info.filename.replace("\\", "/"))
                is_link = stat.S_ISLNK(info.external_attr >> 16)
                if path.is_absolute() or ".." in path.parts or is_link or ":" in (path.parts or ("",))[0]:
                    if len(submission.notes) < MOST_NOTES:
                        submission.notes.append(f"The zip holds {_shown(path)}, a link or a path that leads out of it: "
                                                "left out.")
                elif not info.is_dir() and path.suffix != ".zip":
                    members[path] = info  # the last of a name, as unpacking leaves it
            total = 0
            for path in _chosen(members, sheet, submission):
                if total > MOST_TOTAL:
                    submission.notes.append(TOO_MUCH)
                    break
                if not _is_too_long(path, submission):
                    try:
                        with archive.open(members[path]) as member:
                            content = member.read(MOST_BYTES)
                    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError,
                            ValueError):
                        broken.append(path)
                        continue
                    total += len(content)
                    yield str(path), content
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise SubmissionError(f"{submission.name} isn't a zip that can be opened: {error}.") from error
    if broken:
        submission.notes.append(f"{len(broken)} files in the zip can't be read: they are damaged, or have a password; "
                                f"the first: {_shown(broken[0])}.")


def _is_too_long(path: Union[str, PurePosixPath], submission: Submission) -> bool:
    """Return whether a path is too long to be looked at; that it was left out is noted, once."""
    note = f"Paths longer than {LONGEST_PATH} bytes were left out."
    is_too_long = len(str(path).encode("utf-8", "surrogatepass")) > LONGEST_PATH
    if is_too_long and note not in submission.notes:
        submission.notes.append(note)
    return is_too_long


def _shown(path: Union[str, PurePosixPath]) -> str:
    from grading.box import plain
    return repr(plain(path, 80))


def _choose_root(found: Dict[str, bytes], sheet: Sheet, submission: Submission) -> None:
    """Find the folder that has the sheet's files, and keep what is below it."""
    wanted = sheet.gap_files
    by_lower = {path.lower(): path for path in reversed(sorted(found))}
    roots: Dict[str, int] = {}
    for path in by_lower:
        for file in wanted:
            if path == file or path.endswith("/" + file):
                roots[path[:-len(file)]] = roots.get(path[:-len(file)], 0) + 1
    root = ""
    if roots:
        root = min(roots, key=lambda prefix: (-roots[prefix], prefix.count("/"), prefix))
        others = [prefix for prefix in roots if prefix != root and roots[prefix] == roots[root]]
        if others:
            submission.notes.append(f"It holds the sheet's files {len(others) + 1} times; those in "
                                    f"{_shown(root or 'the top folder')} were graded.")
    for path, content in sorted(found.items(), key=lambda item: item[0][len(root):] not in wanted):
        if path.lower().startswith(root):
            inner = path[len(root):]
            proper = next((file for file in wanted + ["feedback.md"] if file == inner.lower()), inner)
            if proper in submission.files:
                submission.notes.append(f"{_shown(inner)} isn't graded: {proper} is there, too.")
            elif proper != inner:
                submission.notes.append(f"{_shown(inner)} is graded as {proper}: upper and lower case differ.")
            submission.files.setdefault(proper, content)
    for file in wanted:  # some hand in files without their folder, such as network.py
        others = [path for path in submission.files if path.split("/")[-1].lower() == file.split("/")[-1]]
        if others and file not in submission.files:
            path = min(others, key=lambda path: (path.count("/"), path))
            submission.files[file] = submission.files[path]
            submission.notes.append(f"{_shown(path)} is graded as {file}: it stands in another folder.")
    for file in wanted:
        if not _is_readable(submission.files.get(file, b"")):
            submission.notes.append(f"{file} isn't in UTF-8, so Python refuses it; it is graded without odd letters.")
    missing = [file for file in wanted if file not in submission.files]
    if missing:
        submission.notes.append(f"Missing: {', '.join(missing)}.")
    notebooks = [path for path in submission.files if path.endswith(".ipynb")]
    if len(missing) == len(wanted) and notebooks:
        submission.notes.append(f"There is a notebook, {_shown(notebooks[0])}, but the sheet asks for Python files.")


def _is_readable(content: bytes) -> bool:
    """Return whether Python can decode a file: it is in UTF-8, or says in which encoding it is."""
    try:
        content.decode(tokenize.detect_encoding(io.BytesIO(content).readline)[0])
    except (SyntaxError, ValueError, LookupError):
        return False
    return True
