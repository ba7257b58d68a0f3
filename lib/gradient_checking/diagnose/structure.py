"""What can be read off a wrong gradient without a formula: ratios, and where the wrong entries are."""
from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from lib.gradient_checking.diagnose.causes import cause
from lib.gradient_checking.diagnose.evidence import Trial, close
from lib.gradient_checking.report import Cause


def common_ratio(trial: Trial) -> Optional[float]:
    """Return c if the gradient is c times the expected one, entry by entry."""
    expected = np.concatenate([e.ravel() for e in trial.expected])
    got = np.concatenate([g.ravel() for g in trial.got])
    known = np.isfinite(expected) & np.isfinite(got)
    square = float(expected[known] @ expected[known])
    if square == 0:
        return None
    ratio = float(expected[known] @ got[known]) / square
    if abs(ratio) < 1e-6:
        return None
    return ratio if close(ratio * expected, got, trial.size * max(1.0, abs(ratio)), trial.sharpness) else None


class Sizes(NamedTuple):
    """The sizes of all trials: N examples, K columns, P pixels of an image's channel; each is an array."""

    n: Any
    k: Any
    pixels: Any


class Ratio(NamedTuple):
    """What got / expected may be: its formula, the cause in a loss and in another module, and the words."""

    formula: Callable[[Sizes], Any]
    of_loss: str
    of_module: str
    words: str


RATIOS = (
    Ratio(lambda s: s.n, "missing 1/N", "constant factor",
          "the number of examples, N = {n:.0f}; with other N, it is that N"),
    Ratio(lambda s: 1 / s.n, "constant factor", "mean for sum",
          "1/N, for N = {n:.0f} examples; with other N, it is that 1/N"),
    Ratio(lambda s: s.n * s.k, "missing 1/(N K)", "missing 1/(N K)", "the number of entries, N K = {nk:.0f}"),
    Ratio(lambda s: 1 / (s.n * s.k), "constant factor", "mean for sum", "1 / (number of entries)"),
    Ratio(lambda s: 1 / (s.n * s.pixels), "constant factor", "mean for sum", "1 / (number of entries)"),
    Ratio(lambda s: s.n / s.k, "constant factor", "constant factor",
          "N / K, so it is divided by the K = {k:.0f} columns instead of the N examples"))
PROPORTIONAL = (
    Ratio(lambda s: s.n, "missing 1/N", "missing 1/N", "and it grows with the number of examples N"),
    Ratio(lambda s: 1 / s.n, "mean for sum", "mean for sum", "and it falls with the number of examples N"))


def ratio_cause(trials: Sequence[Trial]) -> Optional[Cause]:
    """Return a cause for a ratio got / expected that is the same for all entries, but may depend on the batch."""
    telling = [trial for trial in trials if trial.size > 0]
    ratios = [common_ratio(trial) for trial in telling]
    if not telling or any(ratio is None for ratio in ratios):
        return None
    c = np.array(ratios, dtype=float)
    if np.allclose(c, 1, atol=1e-5):
        return None
    rough = max(1e-4, min(0.05, max(5 * trial.sharpness for trial in telling)))
    sign = -1 if (c < 0).all() else 1
    c = sign * c
    minus = "" if sign > 0 else ", and the sign is wrong"
    shown = f"got / expected is {sign * c[0]:.6g} for every entry"
    if sign < 0 and np.allclose(c, 1, rtol=rough):
        return cause("wrong sign", shown)
    sizes = _sizes(telling)
    if len(set(sizes.n)) > 1:
        numbers = {"n": sizes.n[0], "k": sizes.k[0], "nk": sizes.n[0] * sizes.k[0]}
        for table, is_like in ((RATIOS, lambda formula: np.allclose(c, formula, rtol=rough)),
                               (PROPORTIONAL, lambda formula: np.allclose(c / formula, c[0] / formula[0], rtol=rough))):
            for ratio in table:
                if is_like(ratio.formula(sizes)):
                    join = ": " if table is RATIOS else ", "
                    return cause(ratio.of_loss if telling[0].y.ndim == 0 else ratio.of_module,
                                 shown + join + ratio.words.format(**numbers) + minus)
    if not np.allclose(c, c[0], rtol=rough):
        return None
    return cause("constant factor", f"{shown}{_meaning(float(c[0]), telling, sizes)}{minus}")


def uneven_ratio(trials: Sequence[Trial]) -> List[Cause]:
    """Return a cause for a ratio got / expected that is the same in every entry, or in every row, of a point."""
    wrong = [trial for trial in trials if not trial.is_right]
    found = [common_ratio(trial) for trial in wrong]
    ratios = [ratio for ratio in found if ratio is not None]
    if len(ratios) == len(wrong) and any(trial.value.size > 1 for trial in wrong):
        shown = ", ".join(f"{ratio:.4g}" for ratio in ratios[:4])
        is_square = np.allclose(ratios, [trial.num_samples ** 2 for trial in wrong], rtol=1e-4)
        return [cause("constant factor", "got / expected is the same for all entries, but differs from point to point: "
                      + shown + ", that is N^2: multiplied by N instead of divided" * is_square)]
    rows = [_ratios_of_rows(trial) for trial in wrong if trial.value.ndim > 1 and trial.value.shape[-1] > 1]
    first = rows[0] if rows else None
    if first is not None and all(ratio is not None for ratio in rows):
        shown = ", ".join(dict.fromkeys(f"{value:.4g}" for value in np.ravel(first)[:8]))
        return [cause("another formula", "got / expected is the same within each row, but differs from row to row: "
                      f"{shown}: a factor that belongs to the row is missing, or too many")]
    return []


def _ratios_of_rows(trial: Trial) -> Optional[np.ndarray]:
    """Return c, one number a row, if the gradient is c times the expected one."""
    got, expected = np.stack(trial.got), np.stack(trial.expected)
    if not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return None
    square = (expected ** 2).sum(axis=-1, keepdims=True)
    ratio = (expected * got).sum(axis=-1, keepdims=True) / np.where(square > 0, square, 1)
    telling = np.count_nonzero(np.abs(expected) > 1e-6 * trial.size, axis=-1) > 1  # one number has a ratio in any case
    fits = close(ratio * expected, got, trial.size) and 2 * telling.sum() > np.count_nonzero(square)
    return ratio[square > 0] if fits else None  # a row of zeros has none


def _sizes(trials: Sequence[Trial]) -> Sizes:
    n = np.array([trial.num_samples for trial in trials], dtype=float)
    entries = np.array([trial.y.size if trial.y.ndim else trial.value.size for trial in trials])
    pixels = np.array([np.prod(trial.y.shape[2:]) if trial.y.ndim > 2 else 1 for trial in trials], dtype=float)
    return Sizes(n, entries / np.maximum(1, n), pixels)


def _meaning(c: float, trials: Sequence[Trial], sizes: Sizes) -> str:
    """Say which number of the module a constant factor is, or may be."""
    trial, k = trials[0], float(sizes.k[0])
    numbers = {"K, the number of columns": k} if len(set(sizes.k)) == 1 else {}
    for name, value in vars(trial.bench.module).items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value not in (0, 1):
            numbers[name] = float(value)
            numbers[f"1 - {name}"] = 1 - float(value)
    for index, value in enumerate(trial.value.shape):
        others = [known for known in numbers if numbers[known] == value and known.startswith("K,")]
        if {other.value.shape[index] for other in trials} == {value} and not others:
            numbers[f"the size of axis {index}"] = float(value)
    found = [words for name, value in numbers.items() for words, number in ((name, value), (f"1 / ({name})", 1 / (
        value or 1))) if value not in (0, 1) and np.isclose(c, number, rtol=1e-4)]
    return f", that is {' or '.join(found)}" if found else ""


def low_precision(trials: Sequence[Trial]) -> Optional[Cause]:
    """Return a cause if every number of the gradient is one that fits into fewer bits, and is nearly right."""
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            fits = all(np.array_equal(got.astype(kind), got) and got.any() and not np.array_equal(got, np.round(got, 1))
                       for trial in trials for got in trial.got)
        near = all(close(got, expected, trial.size, 1e-2) for trial in trials
                   for got, expected in zip(trial.got, trial.expected))
        if fits and near:
            return cause("low precision", f"every entry is a number that fits into {np.dtype(kind).name}")
    pairs = [pair for trial in trials for pair in zip(trial.got, trial.expected)]
    if any(got.any() for got, _ in pairs) and all(
            np.array_equal(got, np.trunc(expected)) or np.array_equal(got, np.round(expected))
            for got, expected in pairs):
        return cause("low precision", "every entry is the expected one, rounded to an integer")
    if any(got.any() for got, _ in pairs) and all(np.array_equal(got, np.floor(expected)) for got, expected in pairs):
        return cause("low precision", "every entry is the expected one, rounded down to an integer, as // does")
    return None


def region_cause(trials: Sequence[Trial]) -> List[Cause]:
    """Return causes that follow from where the wrong entries are."""
    rights, wrongs = [], []
    for trial in trials:
        for got, expected in zip(trial.got, trial.expected):
            room = 2e-5 * trial.size + 2e-5 * np.abs(expected) + 1e-12
            known = np.isfinite(expected) & np.isfinite(got)
            telling = known & (np.abs(expected) > 1e-6 * trial.size)  # 0 = 0 says nothing
            rights.append(telling & (np.abs(got - expected) <= room))
            wrongs.append(known & (np.abs(got - expected) > room))
    pairs = [(trial, k) for trial in trials for k in range(len(trial.got))]
    found: List[Cause] = []
    index = trials[0].index
    if index == 0 and all(trial.x is not None and trial.x.shape == trial.value.shape for trial in trials):
        x: Any = [trial.x for trial, _ in pairs]
        masks = [("x < 0", "mask missing where x < 0", [v < 0 for v in x]),
                 ("x > 0", "another formula", [v > 0 for v in x])]
        if len(trials[0].point.inputs) == 2 and all(np.shape(t.point.inputs[1]) == t.x.shape for t in trials):
            apart = [v - np.asarray(trial.point.inputs[1], dtype=float) for v, (trial, _) in zip(x, pairs)]
            masks += [("the prediction is above its label", "another formula", [v > 0 for v in apart]),
                      ("the prediction is below its label", "another formula", [v < 0 for v in apart])]
        if trials[0].is_square:
            u = [trial.upstreams[k] for trial, k in pairs]
            masks += [("the upstream gradient is negative", "not linear in the upstream gradient", [v < 0 for v in u]),
                      ("the upstream gradient is positive", "not linear in the upstream gradient", [v > 0 for v in u])]
        for words, name, inside in masks:
            if any(w.any() for w in wrongs) and all(not (w & ~m).any() for w, m in zip(wrongs, inside)) and \
                    any(r.any() and (r & ~m).any() for r, m in zip(rights, inside)) and \
                    sum(float(w.sum()) for w in wrongs) >= 0.5 * sum(float((m & (r | w)).sum())
                                                                     for m, r, w in zip(inside, rights, wrongs)):
                found.append(cause(name, f"the gradient is wrong where {words}, and right everywhere else"))
        large = min((float(np.abs(v[w]).min()) for v, w in zip(x, wrongs) if w.any()), default=0.0)
        small = max((float(np.abs(v[r]).max()) for v, r in zip(x, rights) if r.any()), default=np.inf)
        shares = [sum(float(m.sum()) for m in which) / max(1, sum(m.size for m in which)) for which in (rights, wrongs)]
        low = max((float(v[w].max()) for v, w in zip(x, wrongs) if w.any()), default=np.inf)
        high = min((float(v[r].min()) for v, r in zip(x, rights) if r.any()), default=0.0)
        if 0 < low <= high and min(shares) > 0.05 and all((v[w] > 0).all() for v, w in zip(x, wrongs)):
            found.append(cause("another threshold", f"the gradient is right from x = {high:.3g} on, and wrong where x "
                               "is positive, but smaller, as if it changed at another number than 0"))
        if large >= small > 0 and min(shares) > 0.15:
            found.append(cause("another formula", f"the gradient is right up to |x| = {small:.3g} and wrong beyond, as "
                               "if the input were clipped"))
        found += [] if found or not trials[0].is_elementwise else _interval(x, rights, wrongs)
    got = np.concatenate([g[w] for (t, k), w in zip(pairs, wrongs) for g in [t.got[k]]] or [np.zeros(0)])
    share = float(np.mean([w.sum() / max(1, (w | r).sum()) for w, r in zip(wrongs, rights) if w.any()] or [0.0]))
    if got.size and np.all(got == 0):
        found.append(cause("single entries wrong", f"{_places(wrongs)} zero, and the others are right")
                     if share < 0.999 else cause("zeros", "every entry is zero"))
    elif 0 < share < 0.5:
        found.append(cause("single entries wrong", f"{_places(wrongs)} wrong, and the others are right"))
    return found


def _interval(x: Sequence[Any], rights: Sequence[Any], wrongs: Sequence[Any]) -> List[Cause]:
    """Return a cause if the gradient is right, or wrong, for all x between two numbers, and only there."""
    good, bad = (np.concatenate([v[m] for v, m in zip(x, which)]) for which in (rights, wrongs))
    for words, inside, outside in (("wrong", bad, good), ("right", good, bad)):
        if min(inside.size, outside.size) >= 3:
            low, high = inside.min(), inside.max()
            between = (outside > low) & (outside < high)
            if not between.any() and (outside < low).any() and (outside > high).any():
                return [cause("another formula", f"the gradient is {words} for x from {low:.3g} to {high:.3g}, and "
                              f"{'right' if words == 'wrong' else 'wrong'} elsewhere: a limit, or a condition, is "
                              "another one")]
    return []


def _places(wrongs: Sequence[Any]) -> str:
    """Say where wrong entries are: in one row or column, or how many."""
    first = next(w for w in wrongs if w.any())
    for axis in range(first.ndim):
        others = tuple(i for i in range(first.ndim) if i != axis)
        lines = np.flatnonzero(first.any(axis=others))
        if len(lines) == 1 and first.shape[axis] > 1:
            place = int(lines[0])
            words = "last" if place == first.shape[axis] - 1 else f"number {place}"
            return f"the entries at the {words} place of axis {axis} are"
    return f"{int(first.sum())} of {first.size} entries are"


def reordered(trials: Sequence[Trial]) -> Optional[Cause]:
    """Return a cause if the right numbers stand in wrong places."""
    for trial in trials:
        for got, expected in zip(trial.got, trial.expected):
            if not np.isfinite(expected).all() or got.size < 2 or \
                    not close(np.sort(got, axis=None), np.sort(expected, axis=None), trial.size):
                return None
    if trials[0].value.ndim < 2 or all(np.mean(expected == 0) > 0.2 for trial in trials for expected in trial.expected):
        return cause("single entries wrong", "the numbers are the expected ones, but they stand in other places: look "
                     "at the indices, as that of the greatest entry or of a part")
    return cause("transposed", "the numbers are the expected ones, but they stand in other places: axes are swapped, "
                 "or reshaped in another order")
