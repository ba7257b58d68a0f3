"""Submissions that look alike: for the instructor alone, as a hint and never as a verdict."""
from __future__ import annotations

import contextlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from grading.release import build
from grading.sheet import Sheet
from grading.submission import SubmissionError, read_submission

MOST_LENGTH = 200000
LEAST = 0.5  # a smaller share of two files that is the same isn't listed


class Alike(NamedTuple):
    """Two submissions' versions of a file, and the shares of each that the other has, too."""

    file: str
    first: str
    second: str
    shares: Tuple[float, float]


def same_wrong_answers(reports: Sequence[Dict[str, Any]]) -> List[Tuple[str, List[str]]]:
    """Return (task, submissions) of the wrong answers that are the same in several submissions."""
    groups: Dict[Tuple[str, str], List[str]] = {}
    for report in reports:
        for task, answer in report.get("answers", {}).items():
            groups.setdefault((task, answer), []).append(report["submission"])
    return sorted((task, names) for (task, _), names in groups.items() if len(names) > 1)


def alike(sheet: Sheet, paths: Sequence[Path]) -> List[Alike]:
    """Return the pairs of files that share much beyond what was handed out; [] where copydetect isn't installed.

    Two right answers of three lines look alike by themselves: what tells are same wrong answers, comments and names.
    """
    with contextlib.suppress(ImportError):
        return _alike(sheet, paths)
    return []


def _alike(sheet: Sheet, paths: Sequence[Path]) -> List[Alike]:
    from copydetect import CopyDetector
    found: List[Alike] = []
    given = build(sheet)
    with tempfile.TemporaryDirectory(prefix="alike-") as temporary:
        root, base = Path(temporary) / "submissions", Path(temporary) / "given"
        names: Dict[str, Tuple[str, str]] = {}
        seen: Dict[Tuple[str, str], List[str]] = {}  # by file and text, the submissions that share it to the letter
        for i, path in enumerate(paths):
            try:
                submission = read_submission(path, sheet)
            except SubmissionError:
                continue
            for j, file in enumerate(sheet.gap_files):
                text = submission.text(file)
                if not text or len(text) > MOST_LENGTH or text == given[file].decode("utf-8"):
                    continue
                seen.setdefault((file, text), []).append(submission.name)
                if len(seen[file, text]) == 1:
                    target = root / f"{i}" / f"{j}.py"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(text, encoding="utf-8", errors="replace")
                    names[str(target)] = (submission.name, file)
        found += [Alike(file, group[0], other, (1.0, 1.0)) for (file, _), group in seen.items() for other in group[1:]]
        base.mkdir()
        for j, file in enumerate(sheet.gap_files):
            (base / f"{j}.py").write_bytes(given[file])
        if len(names) < 2:
            return sorted(set(found))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            detector = CopyDetector(test_dirs=[str(root)], extensions=["py"], boilerplate_dirs=[str(base)],
                                    display_t=LEAST, autoopen=False, silent=True, same_name_only=True,
                                    ignore_leaf=True, disable_filtering=False)
            detector.run()
            listed = detector.get_copied_code_list()
        for entry in listed:
            first, second = (names.get(os.path.normpath(str(path))) for path in entry[2:4])
            if first and second and first[0] != second[0] and first[1] == second[1]:
                (one, share), (other, share_back) = sorted([(first[0], float(entry[0])), (second[0], float(entry[1]))])
                found.append(Alike(first[1], one, other, (round(share, 2), round(share_back, 2))))
    return sorted(set(found), key=lambda pair: (-min(pair.shares), pair))
