"""The check of pen-and-paper answers: planted slips cost one line each and are named; honest rounding costs nothing."""
from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from grading.__main__ import main
from grading.variants.check import check
from lib.graph.answers.calculation import Rounding
from tests.variant_cases import SOME, TASKS, case as case_by_name

WITH_ALL_DIGITS, WITH_WHAT_IS_WRITTEN, WITH_EVERY_NUMBER_ROUNDED = "all digits", "what is written", "all rounded"
MANNERS = (WITH_ALL_DIGITS, WITH_WHAT_IS_WRITTEN, WITH_EVERY_NUMBER_ROUNDED)


def written(value):
    return f"{value:.3g}"


def answers(case, slip=None, manner=WITH_ALL_DIGITS):
    """Return a student's answers to three digits, with one slip, carried on rightly in one of three manners."""
    machine = case.machine
    rounding = Rounding(3, np.random.default_rng(case.seed)) if manner == WITH_EVERY_NUMBER_ROUNDED else None
    given, found = {}, {}
    for line in machine.lines:
        computed, used = machine.run(case.numbers, given)
        value = line.of(computed)
        if rounding and line.axis is None and line.quantity[0] in ("value", "grad") and value:
            step = next(step for step in machine.steps if step.quantity[0] == line.quantity[0]
                        and step.quantity[1] is line.quantity[1])
            value = float(np.asarray(step.compute(used, rounding) if step.inputs else value)[line.place])
        if slip and slip.line == line.name:
            value = machine.slip_value(slip, line, computed, used)
        found[line.name] = written(value)
        if line.axis is None and (manner != WITH_ALL_DIGITS or slip and slip.line == line.name):
            given[line] = value if manner == WITH_ALL_DIGITS else float(written(value))
    return found


def lost(case, slip, manner):
    return [verdict for verdict in check(case, answers(case, slip, manner)).verdicts if not verdict.counts]


@pytest.mark.parametrize("name", SOME)
def test_one_slip_costs_its_own_line_and_is_named(name):
    case = case_by_name(name)
    for manner in MANNERS:
        assert not lost(case, None, manner)
    slip = case.task.slips[len(case.task.slips) // 2]
    verdict, = lost(case, slip, WITH_ALL_DIGITS)
    assert (verdict.line, verdict.status, verdict.cause, verdict.hint) == (slip.line, "wrong", slip.cause, slip.hint)


@pytest.mark.slow
def test_five_hundred_planted_slips_cost_one_line_each_and_are_named():
    rng = random.Random(7)
    cases = [case_by_name(name, seed) for name in TASKS for seed in range(2)]
    counts = Counter()
    for k in range(500):
        case = rng.choice(cases)
        slip = rng.choice([slip for slip in case.task.slips if not slip.unseen])
        verdicts = lost(case, slip, MANNERS[k % 3])
        counts["one line"] += [verdict.line for verdict in verdicts] == [slip.line]
        counts["named"] += any((each.line, each.cause, each.hint) == (slip.line, slip.cause, slip.hint)
                               for each in verdicts)
    assert counts["one line"] == 500 and counts["named"] >= 475, counts


@pytest.mark.slow
def test_honest_rounding_never_costs_anything():
    for name in TASKS:
        for seed in range(4):
            for manner in MANNERS:
                assert not lost(case_by_name(name, seed), None, manner), (name, seed, manner)


# ---------------------------------------------------------------------- other ways than the graph's

@pytest.mark.parametrize("name", [name for name in TASKS if TASKS[name].ways])
def test_each_way_to_a_line_gives_its_key(name):
    case = case_by_name(name)
    found = case.machine.run(case.numbers)
    for line in map(case.machine.line, case.task.ways):
        values = case.machine.values(line, *found)
        assert len(values) > 1 and values == pytest.approx([case.key[line.name]] * len(values)), line.name


def carried_on(name, seed, changed):
    """Return the lines that don't count if some of them are changed, with the key in all others."""
    case = case_by_name(name, seed)
    numbers = {line: changed.get(line, value) for line, value in case.key.items()}
    checked = check(case, {line: written(value) for line, value in numbers.items()})
    return [verdict.line for verdict in checked.verdicts if not verdict.counts]


def test_a_slip_costs_its_line_alone_on_every_right_way_on_from_it():
    """What students calculate here isn't what the graph does: p - y, a matrix product, the other sign."""
    case = case_by_name("softmax_cross_entropy", 201)
    for wrong in (1 / (1 + np.exp(-case.numbers["z1"])), np.exp(case.numbers["z1"])):  # a sigmoid, or not normalised
        changed = {"p1": wrong, "dL/dz1": (wrong - case.numbers["y1"]) / 2}
        others = carried_on("softmax_cross_entropy", 201, changed)
        assert others in (["p1"], ["p1", "L"])  # L is the key's still
    key, v = case_by_name("jacobian").key, case_by_name("jacobian").numbers
    wrong = {"df2/dx2": 2 * key["df2/dx2"], "dL/dx2": 2 * v["a2"] * key["df2/dx2"]}
    assert carried_on("jacobian", 0, wrong) == ["df2/dx2"]
    wrong = {"df2/dx1": key["df2/dx2"], "dL/dx1": v["a1"] * key["df1/dx1"] + v["a2"] * key["df2/dx2"]}
    assert carried_on("jacobian", 0, wrong) == ["df2/dx1"]
    key = case_by_name("mlp_regression").key
    wrong = {line: value / 2 for line, value in key.items() if line.startswith("dl/d")}
    assert carried_on("mlp_regression", 0, wrong) == ["dl/dy_hat[1]"]


def test_further_digits_of_a_wrong_line_are_allowed_for():
    case = case_by_name("network_sigmoid", 200)
    wrong = 1 / (1 + np.exp(case.key["z1"]))  # 0.97967: 0.98 leads to a slope that is 1.6 % off
    given = {"z1": written(case.key["z1"]), "h1": written(wrong), "dL/dh1": written(case.key["dL/dh1"]),
             "dL/dz1": written(case.key["dL/dh1"] * wrong * (1 - wrong))}
    assert {each.line: each.counts for each in check(case, given).verdicts}["dL/dz1"]


def test_what_people_write_is_read():
    case = case_by_name("skip_chain", 0)
    right = answers(case)
    typed = {"h0": right["h0"].replace(".", ","), "y_hat": f" {right['y_hat']} ".replace("-", "\N{MINUS SIGN}"),
             "∂L/∂ws": right["dL/dws"], "w_0_new": "", "new w1": "one half", "dL / dw2": "nan", "L": "1e400"}
    verdicts = {verdict.line: verdict for verdict in check(case, typed).verdicts}
    assert [verdicts[line].status for line in ("h0", "y_hat", "dL/dws")] == ["right"] * 3
    assert [verdicts[line].status for line in ("new w0", "new w1", "dL/dw2", "L", "h1")] == ["missing"] * 5
    assert "must be a number" in verdicts["new w1"].hint and "no finite number" in verdicts["dL/dw2"].hint


def test_a_slip_of_no_list_is_named_too_or_called_wrong():
    case = case_by_name("network_sigmoid", 0)
    doubled = check(case, {**answers(case), "dL/dc1": written(2 * case.key["dL/dc1"])})
    verdict = {each.line: each for each in doubled.verdicts}["dL/dc1"]
    assert (verdict.status, verdict.cause) == ("wrong", "factor")
    odd = check(case, {**answers(case), "dL/dc1": written(3.7 * case.key["dL/dc1"])})
    verdict = {each.line: each for each in odd.verdicts}["dL/dc1"]
    assert (verdict.status, verdict.cause, odd.points) == ("wrong", "", len(odd.verdicts) - 1)


def test_a_slip_in_a_line_that_is_left_out_is_named_where_it_shows():
    case = case_by_name("skip_chain")
    slip = next(slip for slip in case.task.slips if slip.line == "dL/dh0" and slip.cause == "paths")
    given = answers(case, slip)
    del given["dL/dh0"]
    checked = check(case, given)
    assert [(each.line, each.status, each.cause) for each in checked.verdicts if not each.counts] == [
        ("dL/dh0", "missing", ""), ("dL/dw0", "wrong", "paths")]
    assert slip.hint in {each.line: each.hint for each in checked.verdicts}["dL/dw0"]


def test_two_digits_are_too_few():
    case = case_by_name("network_sigmoid", 0)
    line = next(line for line in case.task.lines if abs(float(f"{case.key[line]:.1g}") - case.key[line])
                > 0.03 * abs(case.key[line]) and abs(float(f"{case.key[line]:.1g}") / case.key[line] - 1) < 0.06)
    verdict = {each.line: each for each in check(case, {line: f"{case.key[line]:.1g}"}).verdicts}[line]
    assert (verdict.status, verdict.cause) == ("wrong", "rounding")


# ---------------------------------------------------------------------- the commands

def hand_in(path, case, slip=None):
    path.write_text("# typed in\n" + "".join(f"{line} = {value}\n" for line, value in answers(case, slip).items()))


def test_one_students_answers_by_seed(tmp_path, capsys):
    case = case_by_name("skip_chain", 5)
    slip = next(slip for slip in case.task.slips if slip.line == "dL/dh0" and slip.cause == "paths")
    hand_in(tmp_path / "answers.txt", case, slip)
    assert main(["check-answers", "skip_chain", "--seed", "5", str(tmp_path / "answers.txt")]) == 0
    said = capsys.readouterr().out
    assert "wrong: only one of several paths is counted" in said and slip.hint in said
    assert f"{len(case.task.lines) - 1} of {len(case.task.lines)} points" in said
    assert main(["check-answers", "skip_chain", "--seed", "5", str(tmp_path / "none.txt")]) == 2
    (tmp_path / "odd.txt").write_text("h0 0.5\n")
    assert main(["check-answers", "skip_chain", "--seed", "5", str(tmp_path / "odd.txt")]) == 2
    said = capsys.readouterr().err
    assert "none.txt can't be read" in said and "line 1: expected something like dL/dw = 0.5" in said


def test_answers_are_read_as_people_type_them_and_no_doubt_is_kept_silent(tmp_path, capsys):
    case = case_by_name("sgd_step", 3)
    e, g, e1 = (written(case.key[line]) for line in ("e", "g", "e1"))
    typed = f"1. e = 0.5 * 3 - 4 = {e}\n2) g \N{ALMOST EQUAL TO} {g};\nE1: {e1}\nw1 = 7\nw1 = 8\n"
    for name, text in (("a.txt", typed.encode("utf-16")), ("b.txt", typed.encode("utf-8-sig")),
                       ("c.csv", f"sep=;\nline;answer\ne;{e}\ng;{g.replace('.', ',')}\ne1;{e1}\n".encode())):
        (tmp_path / name).write_bytes(text)
        assert main(["check-answers", "sgd_step", "--seed", "3", str(tmp_path / name)]) == 0
        said = capsys.readouterr().out
        assert said.count(": right.") == 3 and ("answered twice, by '7' and by '8'" in said) == (name != "c.csv")
    (tmp_path / "d.txt").write_text(f"# {case_by_name('sgd_step', 4).tag}\ne = {e}\n")
    assert main(["check-answers", "sgd_step", "--seed", "3", str(tmp_path / "d.txt")]) == 0
    assert f"but the numbers of seed 3 have {case.tag}" in capsys.readouterr().out
    (tmp_path / "e.txt").write_bytes("e = 1\n".encode("utf-32"))
    assert main(["check-answers", "sgd_step", "--seed", "3", str(tmp_path / "e.txt")]) == 2
    assert "isn't a text in UTF-8" in capsys.readouterr().err
    given = {each.line: each.given for each in check(case, {"g": "1 1/2"}).verdicts}
    assert given["g"] == "1 1/2" and check(case, {"g": "1 1/2"}).values == {"g": 1.5}


def test_sheets_that_were_mixed_up_are_told(tmp_path, capsys):
    assert main(["variants", "sgd_step", "--count", "2", str(tmp_path)]) == 0
    one, other = (case_by_name("sgd_step", seed) for seed in range(2))
    rows = [f"{tag};{who};" + ";".join(written(case.key[line]).replace(".", ",") for line in case.task.lines)
            for tag, who, case in ((one.tag, "", other), (other.tag, "", other))]
    (tmp_path / "typed.csv").write_text("tag;id;" + ";".join(one.task.lines) + "\n" + "\n".join(rows) + "\n")
    (tmp_path / "key.csv").write_text((tmp_path / "key.csv").read_text().replace(f"{one.tag},,", f"{one.tag},7,"))
    given = ["check-answers", "sgd_step", "--key", str(tmp_path / "key.csv")]
    assert main([*given, str(tmp_path / "typed.csv")]) == 0
    assert f"{one.tag}: 6 of the 6 answers are right for the numbers of {other.tag}" in capsys.readouterr().out
    (tmp_path / "typed.csv").write_text(f"tag,id,e\n{other.tag},7,1\n")
    assert main([*given, str(tmp_path / "typed.csv")]) == 0
    assert f"the tag {other.tag} is that of nobody, not of 7" in capsys.readouterr().out
    (tmp_path / "typed").mkdir()
    (tmp_path / "typed" / "ada.txt").write_text(f"# SGD, {one.tag}\ne = {written(one.key['e'])}\n")
    assert main([*given, str(tmp_path / "typed")]) == 0
    assert "1 students, 1 of 6 points" in capsys.readouterr().out


def test_a_class_is_checked_by_tag_or_id_and_compared_with_before(tmp_path, capsys):
    assert main(["variants", "sgd_step", "--count", "3", str(tmp_path)]) == 0
    cases = [case_by_name("sgd_step", seed) for seed in range(3)]
    uphill = next(slip for slip in cases[0].task.slips if slip.cause == "direction")
    late = next(slip for slip in cases[0].task.slips if slip.cause == "rate")
    (tmp_path / "before").mkdir(), (tmp_path / "after").mkdir()
    for case, one, other in zip(cases, (uphill, uphill, late), (None, uphill, None)):
        hand_in(tmp_path / "before" / f"{case.tag}.txt", case, one)
        hand_in(tmp_path / "after" / f"{case.tag}.txt", case, other)
    (tmp_path / "after" / "SGD-0000-0000.txt").write_text("e = 1\n")
    key = ["--key", str(tmp_path / "key.csv")]
    assert main(["check-answers", "sgd_step", *key, str(tmp_path / "before"), "--out", str(tmp_path / "b")]) == 0
    assert main(["check-answers", "sgd_step", *key, str(tmp_path / "after"), "--out", str(tmp_path / "a"),
                 "--before", str(tmp_path / "b")]) == 0
    said = capsys.readouterr().out
    assert "neither the tag 'SGD-0000-0000'" in said and "(before: 5)" in said
    assert (tmp_path / "a" / "causes.csv").read_text().splitlines() == [
        "cause,before (of 3),now (of 3)", "the step goes uphill,2,1", "the learning rate is misplaced,1,0"]
    assert "its weight" not in (tmp_path / "a" / "class.html").read_text()
    report = (tmp_path / "b" / "reports" / f"{cases[0].tag}.html").read_text()
    assert uphill.hint in report and "right, given your earlier line" in report
    assert main(["check-answers", "adam_step", *key, str(tmp_path / "after")]) == 2
    assert "is the key of sgd_step, not of adam_step" in capsys.readouterr().err
    for seed in ("1E+37", "5", ""):
        (tmp_path / "odd.csv").write_text(f"tag,id,name,task,seed\n{cases[0].tag},1,Ada,sgd_step,{seed}\n")
        assert main(["check-answers", "sgd_step", "--key", str(tmp_path / "odd.csv"), str(tmp_path / "after")]) == 2
        assert "doesn't belong to the tag" in capsys.readouterr().err


def test_a_table_of_a_class_is_read(tmp_path, capsys):
    assert main(["variants", "momentum_step", "--count", "2", str(tmp_path)]) == 0
    case = case_by_name("momentum_step", 1)
    rows = (tmp_path / "answers.csv").read_text().splitlines()
    assert rows[0] == "tag,id,e,g,v,w1" and rows[2] == f"{case.tag},,,,,"
    (tmp_path / "answers.csv").write_text(f"{rows[0]},comment\n{case.tag.lower()},," + ",".join(
        answers(case)[line] for line in case.task.lines) + ",easy\n")
    assert main(["check-answers", "momentum_step", "--key", str(tmp_path / "key.csv"),
                 str(tmp_path / "answers.csv")]) == 0
    said = capsys.readouterr().out
    assert "1 students, 4 of 4 points on average" in said and "There is no line called 'comment'" in said


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
