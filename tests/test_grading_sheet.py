"""sheet.json: one description a sheet, which says what is released and graded."""
import copy
import json

import pytest

from grading.rehearsal import rehearse
from grading.sheet import ROOT, Sheet, SheetError, load_sheet, topics


@pytest.mark.parametrize("topic", topics())
def test_every_sheet_describes_gaps_that_exist(topic):
    sheet = load_sheet(topic)
    assert sheet.topic == topic
    for task in sheet.code_tasks:
        text = (ROOT / task.gap.file).read_text(encoding="utf-8")
        assert f"{task.gap.owner}" in text and "# START TODO ################" in text, task.gap
        for test in task.tests:
            assert (ROOT / test).is_file(), test


def test_the_main_sheet_has_16_and_2_points():
    sheet = load_sheet("backpropagation")
    assert sheet.max_points == 16 and sum(task.points for task in sheet.bonus) == 2
    assert sum(task.points for task in sheet.code_tasks) == 9
    assert [task.gap.name for task in sheet.code_tasks] == [
        "zero_grad", "ReLU.backward", "Linear.backward", "CrossEntropyLoss.backward", "Sequential.backward",
        "check_gradients", "backward_pass"]
    assert len(sheet.gap_files) == 5
    assert sheet.task("3.7").builds_upon == ("3.3", "3.4", "3.5")


def test_the_readmes_tables_say_what_sheet_json_says():
    sheet = load_sheet("backpropagation")
    tables = {path: (ROOT / path).read_text(encoding="utf-8") for path in (
        "exercises/backpropagation/README.md", "exercises/README.md")}
    for task in sheet.code_tasks:
        test = task.tests[0][:-len(".py")].replace("/", ".")
        row = f"| `{task.gap.name}` in `{task.gap.file}` | `python -m {test}` |"
        assert row in tables["exercises/backpropagation/README.md"], row
    for topic in topics():
        sheet = load_sheet(topic)
        bonus = sum(task.points or 0 for task in sheet.bonus)
        points = f"{sheet.max_points:g}" + (f" + {bonus:g}" if bonus else "") if sheet.max_points else "-"
        line = next(line for line in tables["exercises/README.md"].split("\n") if line.startswith(f"| [{topic}]"))
        assert line.endswith(f"| {points} |"), (topic, points)


@pytest.mark.parametrize("change, words", [
    (lambda raw: raw["tasks"][3].update(number="2.1"), "occurs twice"),
    (lambda raw: raw["tasks"][3].update(kind="oral"), "kind is one of"),
    (lambda raw: raw["tasks"][3].update(points=-1), "negative"),
    (lambda raw: raw["tasks"][3].pop("gap"), "needs a gap"),
    (lambda raw: raw["tasks"][3].pop("points"), "points"),
    (lambda raw: raw["tasks"][3].update(weight=2), "unknown entries weight"),
    (lambda raw: raw["tasks"][3]["probes"].pop(), "must sum to 1"),
    (lambda raw: raw["tasks"][3].update(builds_upon=["9.9"]), "9.9"),
    (lambda raw: raw["tasks"][3].update(points="one"), "points are a number"),
    (lambda raw: raw["tasks"][3]["gap"].update(name="zero_grads"), "no gap 'zero_grads', but zero_grad, check_grad"),
    (lambda raw: raw["tasks"][3]["gap"].update(file="lib/nothing.py"), "no file lib/nothing.py"),
    (lambda raw: raw["tasks"][3].update(tests=["tests/test_nothing.py"]), "no file tests/test_nothing.py"),
    (lambda raw: raw["tasks"][3].update(solutions=[["return x +"]]), "isn't Python: return x"),
    (lambda raw: raw["tasks"][3]["probes"][0].update(share="half"), "a share, which is a number"),
    (lambda raw: raw["tasks"][4]["probes"][0].update(cases=[]), "and cases"),
    (lambda raw: raw.pop("placeholder"), "needs a placeholder"),
    (lambda raw: raw.update(step=0), "above 0"),
    (lambda raw: raw["release"]["files"].append("nothing.txt"), "release lists nothing.txt"),
])
def test_contradictions_get_a_sentence(change, words):
    sheet = load_sheet("backpropagation")
    raw = copy.deepcopy(sheet.raw)
    change(raw)
    with pytest.raises(SheetError, match=words):
        Sheet(raw, sheet.folder)


@pytest.mark.slow
@pytest.mark.parametrize("change, words", [
    (lambda task: task["probes"][1].update(kind="gradient"), "kind of a probe is one of .* but got 'gradient'"),
    (lambda task: task["probes"][0]["cases"][0].update(make=["Relu6"]), "can't be run on the reference: .*Relu6"),
    (lambda task: task["probes"][0]["cases"][0].update(inputs=["gauss(4, 5)"]), "describes an input as 'gauss"),
    (lambda task: task["probes"][0].update(of=["W"]), "can't be run on the reference: KeyError: 'W'"),
    (lambda task: task.update(solutions=[["return grad"]]), "don't take the first of its solutions to be right"),
])
def test_probes_that_would_cost_every_student_are_refused_before_the_release(change, words):
    raw = copy.deepcopy(load_sheet("backpropagation").raw)
    raw["tasks"] = [task for task in raw["tasks"] if task["number"] == "3.2"]
    change(raw["tasks"][0])
    with pytest.raises(SheetError, match=words):
        rehearse(Sheet(raw, ROOT / "exercises" / "backpropagation"))


def test_what_isnt_a_sheet_gets_a_sentence(tmp_path):
    with pytest.raises(SheetError, match="expected one of .*backpropagation"):
        load_sheet("forwardpropagation")
    (tmp_path / "sheet.json").write_text("{", encoding="utf-8")
    with pytest.raises(SheetError, match="valid JSON"):
        load_sheet(str(tmp_path))
    (tmp_path / "sheet.json").write_text(json.dumps({"sheet": "x", "title": "y"}), encoding="utf-8")
    with pytest.raises(SheetError, match="tasks"):
        load_sheet(str(tmp_path))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
