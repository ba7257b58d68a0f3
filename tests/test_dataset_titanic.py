"""The Titanic data: what is in the table, and what becomes of missing values."""
from __future__ import annotations

import numpy as np
import pytest

from lib.data.batches import train_test_split
from lib.data.titanic import count_missing, drop_missing, fill_missing, load_titanic, read_titanic


def test_the_table_is_the_one_that_its_readme_describes():
    table = read_titanic()
    assert table.shape == (1309, 4)
    assert count_missing(table) == {"class": 0, "age": 263, "survived": 0, "fare": 1}
    assert np.unique(table[:, 0]).tolist() == [1, 2, 3]
    assert table[:, 2].sum() == 500
    fare = table[:, 3]
    assert np.nanmean(fare) == pytest.approx(33.295, abs=5e-4) and np.nanmax(fare) == 512.3292
    assert (fare == 0).sum() == 17
    assert table[0].tolist() == [1, 29, 1, 211.3375]  # class, age, survived, fare


def test_dropped():
    x, y, missing = load_titanic("drop")
    assert x.shape == (1045, 3) and y.shape == (1045, 1)
    assert np.isfinite(x).all() and np.isfinite(y).all()
    assert missing["age"] == 263 and missing["fare"] == 1
    assert load_titanic().x.shape == (1045, 3)


@pytest.mark.parametrize("how, statistic", [("mean", np.nanmean), ("median", np.nanmedian)])
def test_filled(how, statistic):
    x, y, _ = load_titanic(how)
    table = read_titanic()
    unknown = np.isnan(table[:, 1])
    assert x.shape == (1309, 3) and y.shape == (1309, 1)
    assert x[unknown, 1] == pytest.approx(statistic(table[:, 1]))
    assert y[np.isnan(table[:, 3])] == pytest.approx(statistic(table[:, 3]))
    assert np.array_equal(x[~unknown], table[~unknown, :3])  # what is known stays


def test_kept_then_filled_from_the_training_part_alone():
    x, y, _ = load_titanic("keep")
    train, test = train_test_split(np.hstack([x, y]), test_size=0.3, seed=1)
    filled = fill_missing(test, "mean", reference=train)
    unknown = np.isnan(test[:, 1])
    assert unknown.any() and filled[unknown, 1] == pytest.approx(np.nanmean(train[:, 1]))
    assert np.isnan(test[:, 1]).any()  # the table itself isn't changed


def test_what_was_missing_is_reported(capsys):
    load_titanic("median", verbose=True)
    out = capsys.readouterr().out
    assert "1309 passengers, 1045 of them complete" in out and "263 x age" in out and "filled with the median" in out
    load_titanic("drop")
    assert capsys.readouterr().out == ""


def test_drop_missing_keeps_the_order():
    assert drop_missing(np.array([[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0]])).tolist() == [[1.0, 2.0], [4.0, 5.0]]


def test_errors_are_sentences():
    with pytest.raises(ValueError, match="'drop', 'mean', 'median', 'keep'"):
        load_titanic("zero")
    with pytest.raises(ValueError, match="no known value"):
        fill_missing(np.array([[np.nan], [np.nan]]), "mean")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
