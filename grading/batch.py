"""Grading a class: every submission of a folder, by several processes or a cluster; resumed if interrupted."""
from __future__ import annotations

import inspect
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from grading.grade import GradingError, Options, grade_submission, level_for, own_key
from grading.judge import ERROR, FOR_TUTOR, TaskResult
from grading.sheet import ROOT, Sheet, load_sheet
from grading.submission import SubmissionError, name_of, read_submission
from lib.saving.files import write_atomically

_ONE_AT_A_TIME = threading.Lock()  # a box, when it ends, ends all that this process has started since


class Job(NamedTuple):
    """One submission to be graded; everything in it can be sent to another process."""

    sheet: str  # the topic, or the folder of sheet.json
    path: str
    options: Options


def submissions(folder: Union[str, Path], out: Optional[Path] = None) -> List[Path]:
    """Return the submissions in a folder: its folders and zips, without hidden ones and the results' own folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise GradingError(f"There is no folder {folder}: expected one with a folder or a zip for each submission.")
    found = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and (
        path.is_dir() or path.suffix.lower() == ".zip") and (out is None or path.resolve() != out.resolve())]
    names = [name_of(path) for path in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise GradingError(f"{folder} holds {twice[0]!r} twice, as a folder and as a zip: take one of them away.")
    if not found:
        raise GradingError(f"{folder} holds no submission: expected a folder or a zip for each.")
    return found


def file_name(name: str) -> str:
    """Return a file name for a submission's result: its own name, if that is plain; otherwise one that says as much."""
    plain = re.sub(r"[^\w.-]", "_", name)[:80]
    if plain == name and not name.startswith("."):
        return plain
    import hashlib
    return f"{plain.lstrip('.')}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def result_path(out: Path, name: str) -> Path:
    return out / "results" / (file_name(name) + ".json")


def grade_one(job: Job) -> Tuple[str, Dict[str, Any]]:
    """Return a submission's name and the report on it; whatever goes wrong with it is its own report."""
    sheet = load_sheet(job.sheet)
    name = name_of(Path(job.path))
    try:
        with _ONE_AT_A_TIME:  # a cluster's worker may have several threads
            return name, grade_submission(sheet, read_submission(job.path, sheet), job.options)
    except GradingError:
        raise
    except Exception as error:  # one submission must never stop the others
        words = str(error) if isinstance(error, SubmissionError) else f"Grading stopped: {type(error).__name__}."
        return name, unreadable(sheet, name, words)


def unreadable(sheet: Sheet, name: str, words: str) -> Dict[str, Any]:
    """Return the report on a submission that can't be read."""
    from grading.box import plain
    tasks = [TaskResult(task.number, task.name, 0.0 if task.is_code else None, task.points,
                        ERROR if task.is_code else FOR_TUTOR, "unreadable", plain(words, 300) if task.is_code else "")
             for task in sheet.tasks]
    bonus = [TaskResult(task.number, task.name, 0.0, task.points, ERROR, "unreadable") for task in sheet.bonus]
    return {"sheet": sheet.topic, "submission": plain(name, 200), "digest": "", "sheet_digest": sheet.digest(),
            "points": 0, "max_points": sheet.max_points, "isolation": "none", "promise": "nothing was run",
            "tasks": [task._asdict() for task in tasks], "bonus": [task._asdict() for task in bonus], "whole": None,
            "hours": [], "answers": {}, "for_the_tutor": [{"what": "handing in", "text": plain(words, 300)}]}


def as_bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8", "replace")


def is_done(sheet: Sheet, path: Path, out: Path) -> bool:
    """Return whether a submission was graded as it stands, by the sheet as it stands."""
    try:
        report = json.loads(result_path(out, name_of(path)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if report.get("sheet_digest") != sheet.digest():
        return False
    try:
        return report["digest"] == read_submission(path, sheet).digest()
    except SubmissionError:
        return report["digest"] == ""


def stale(sheet: Sheet, out: Path) -> Dict[str, List[str]]:
    """Return the tasks whose results are stale, because sheet.json has changed, by submission."""
    found = {}
    for report in read_results(out):
        old, new = report.get("sheet_digest", {}), sheet.digest()
        tasks = sorted(number for number in set(old) | set(new) if old.get(number) != new.get(number))
        if tasks:
            found[report["submission"]] = tasks
    return found


def read_results(out: Path) -> List[Dict[str, Any]]:
    """Return the reports in a folder of results, by the submissions' names."""
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "results").glob("*.json"))]
    return sorted(reports, key=lambda report: report["submission"])


def run(jobs: Sequence[Job], processes: int = 1, scheduler: Optional[str] = None
        ) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield the name of each submission and the report on it, as they become ready."""
    if scheduler is not None:
        yield from _on_cluster(jobs, scheduler)
    elif processes == 1:
        yield from map(grade_one, jobs)
    else:
        import joblib
        takes_any_order = "generator_unordered" in (inspect.getsource(joblib.Parallel) or "")
        how = "generator_unordered" if takes_any_order else "generator"
        parallel = joblib.Parallel(n_jobs=processes, return_as=how, batch_size=1, pre_dispatch="2 * n_jobs")
        yield from parallel(joblib.delayed(grade_one)(job) for job in jobs)


def _on_cluster(jobs: Sequence[Job], scheduler: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Grade on a Dask cluster: those of a worker that dies are graded by another one, and each counts once."""
    try:
        import distributed
    except ImportError as error:
        raise GradingError("A cluster needs Dask: pip install 'dask[distributed]'.") from error
    with distributed.Client(scheduler) as client:
        client.run(_find_project, str(ROOT))
        client.register_plugin(_Project(str(ROOT)))
        futures = client.map(grade_one, jobs, pure=False, retries=5)
        for _, result in distributed.as_completed(futures, with_results=True):
            yield result


def _find_project(root: str) -> None:
    """Let a worker find this project's modules."""
    if root not in sys.path:
        sys.path.insert(0, root)


def _plugin() -> Any:
    try:
        from distributed import WorkerPlugin
        return WorkerPlugin
    except ImportError:
        return object


class _Project(_plugin()):  # type: ignore[misc]
    """Lets workers that join later find this project, too."""

    name = "numpy-teaching-library"

    def __init__(self, root: str) -> None:
        self.root = root

    def setup(self, worker: Any) -> None:
        _find_project(self.root)


def grade_all(sheet_name: str, folder: Union[str, Path], out: Union[str, Path], options: Options = Options(),
              processes: int = 1, scheduler: Optional[str] = None,
              progress: Callable[..., Iterable[Any]] = lambda items, **_: items) -> Tuple[int, int]:
    """Grade every submission of a folder that isn't graded yet, and write a result for each.

    Args:
        sheet_name: the topic, or a folder that holds a sheet.json.
        folder: holds a folder or a zip for each submission.
        out: where the results go; those that are there and still right stay.
        processes, scheduler: how many processes, or the address of a Dask scheduler.
        progress: wraps the reports as they come, such as tqdm.

    Returns:
        How many were graded now, and how many there are.
    """
    sheet, out = load_sheet(sheet_name), Path(out)
    level_for(options)
    paths = submissions(folder, out)
    (out / "results").mkdir(parents=True, exist_ok=True)
    _remove_half_written(out)
    options = options._replace(key=options.key or own_key(), hidden=tuple(options.hidden) + (
        str(Path(folder).resolve()), str(out.resolve())))
    todo = [path for path in paths if not is_done(sheet, path, out)]
    where = str(sheet.folder.resolve()) if sheet.folder.parent != ROOT / "exercises" else sheet.topic
    jobs = [Job(where, str(path.resolve()), options) for path in todo]
    names = {name_of(path) for path in paths}
    for path in (out / "results").glob("*.json"):  # of submissions that have been taken away
        if path.name not in {result_path(out, name).name for name in names}:
            path.unlink()
    for name, report in progress(run(jobs, processes, scheduler), total=len(jobs)):
        content = as_bytes(report)
        write_atomically(result_path(out, name), lambda file: file.write(content))
    return len(todo), len(paths)


def _remove_half_written(out: Path) -> None:
    for path in (out / "results").glob("*.tmp"):
        path.unlink()
    for path in out.glob("*.tmp"):
        if os.path.isfile(str(path)):
            path.unlink()
