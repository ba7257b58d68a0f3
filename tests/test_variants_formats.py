"""What `variants` writes: Moodle's XML, blank by blank by a parser of our own, PrairieLearn's folder, pages, keys."""
from __future__ import annotations

import base64
import csv
import importlib.util
import json
import os
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from grading.__main__ import main
from grading.tables import Student
from grading.variants.draws import tolerance
from grading.variants.moodle import moodle_xml, protected
from grading.variants.prairielearn import question
from grading.variants.seeds import graded_seed
from grading.variants.sheets import Person, document, drawing, key_part, sheet
from grading.variants.write import Dealt, deal, key_table, markdown
from tests.variant_cases import TASKS, case as case_by_name, some_quick

HOSTILE = ("<script>alert(1)</script>", "]]></text><b>", "=cmd|' /C calc'!A0", '"onload="x', "a\tb\nc\x00\x1b",
           "~%100%5:1#}", "\N{RIGHT-TO-LEFT OVERRIDE}x", "$\\frac{1}{2}$ `x` [a](javascript:x)", "")


# ---------------------------------------------------------------------- Moodle

class Blank:
    """A cloze blank, read letter by letter as the format is described: {WEIGHT:NM:ANSWER~ANSWER...}."""

    def __init__(self, text, start):
        head = re.compile(r"\{(\d+):NM:").match(text, start)
        self.weight, self.options, position = int(head.group(1)), [], head.end()
        piece, pieces, in_feedback = "", [], False
        while text[position] != "}":
            letter = text[position]
            if letter == "\\":
                position += 1
                assert text[position] in '}~#"', text[position - 1:position + 1]
                piece += text[position]
            elif letter == "~":
                self._add(pieces + [piece])
                piece, pieces, in_feedback = "", [], False
            elif letter == "#":
                assert not in_feedback, "a # inside of feedback needs a backslash"
                pieces, piece, in_feedback = [piece], "", True
            else:
                assert letter not in '{"' or in_feedback and letter != '"', letter
                piece += letter
            position += 1
        self._add(pieces + [piece])
        self.end = position + 1

    def _add(self, parts):
        answer = re.fullmatch(r"(=|%(\d+)%)(-?\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", parts[0])
        assert answer, parts
        share = 100 if answer.group(1) == "=" else int(answer.group(2))
        self.options.append((share, float(answer.group(3)), float(answer.group(4)), parts[1] if len(parts) > 1 else ""))

    def mark(self, number):
        """Return the share and the feedback of the first answer that matches."""
        return next(((share, said) for share, value, off, said in self.options if abs(number - value) <= off), (0, ""))


def questions_of(text):
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<quiz>')
    root = ElementTree.fromstring(text.encode("utf-8"))
    first, *others = root
    assert first.get("type") == "category" and first.find("category/text").text.startswith("$course$/")
    return others


def blanks_of(question):
    text = question.find("questiontext/text").text
    found, position = [], 0
    while True:
        head = re.compile(r"\{\d+:").search(text, position)
        if not head:
            return found
        found.append(Blank(text, head.start()))
        position = found[-1].end


@pytest.mark.parametrize("name", some_quick())
def test_moodles_file_parses_blank_by_blank_and_marks_each_slip(name):
    case = case_by_name(name)
    question, = questions_of(moodle_xml([case], "Pen/paper & <more>"))
    assert question.get("type") == "cloze" and case.tag in question.find("name/text").text
    assert question.find("questiontext").get("format") == "html"
    picture = question.find("questiontext/file")
    assert picture.get("encoding") == "base64" and f"@@PLUGINFILE@@/{picture.get('name')}" in \
        question.find("questiontext/text").text
    ElementTree.fromstring(base64.b64decode(picture.text))
    blanks = blanks_of(question)
    assert len(blanks) == len(case.task.lines)
    computed, used = case.machine.run(case.numbers)
    for line, blank in zip(case.task.lines, blanks):
        slips = case.task.slips_of(line)
        assert blank.weight == 1 and blank.options[0][0] == 100 and len(blank.options) == 1 + len(slips)
        assert blank.mark(case.key[line]) == (100, "Right.")
        assert blank.mark(float(f"{case.key[line]:.3g}"))[0] == 100  # three digits are enough
        for slip in slips:
            share, said = blank.mark(case.machine.slip_value(slip, case.machine.line(line), computed, used))
            assert share == 0 and said.replace("&amp;", "&").endswith(slip.hint)
        for k, (_, value, off, _) in enumerate(blank.options):
            assert abs(off - tolerance(value)) <= 1e-4 * off + 1e-9
            assert all(abs(value - other) > 2 * max(off, away) for _, other, away, _ in blank.options[:k])


def test_feedback_with_signs_of_the_format_stays_feedback():
    said = 'a } b ~ c # d " e <b> & \\ {1:NM:=5:1}'
    blank = Blank("{1:NM:=1:0.1#" + protected(said).replace("{", "(") + "}", 0)
    assert len(blank.options) == 1 and '} b ~ c # d " e &lt;b&gt;' in blank.options[0][3]


# ---------------------------------------------------------------------- PrairieLearn

def test_prairielearns_folder_deals_out_cases_and_names_slips(tmp_path):
    assert main(["variants", "adam_step", "--count", "3", "--format", "prairielearn", str(tmp_path)]) == 0
    folder = tmp_path / "prairielearn" / "adam_step"
    info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
    assert {"uuid", "title", "topic", "tags", "type"} <= set(info) and info["type"] == "v3"
    spec = importlib.util.spec_from_file_location("a_server", folder / "server.py")
    server = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(server)
    page = (folder / "question.html").read_text(encoding="utf-8")
    names = re.findall(r'<pl-number-input answers-name="(\w+)" comparison="relabs" rtol="1e-2" atol="1e-4"', page)
    for seed in range(3):
        case = case_by_name("adam_step", seed)
        data = {"variant_seed": str(seed), "params": {}, "correct_answers": {}, "submitted_answers": {},
                "partial_scores": {}, "feedback": {}}
        server.generate(data)
        assert data["params"]["tag"] == case.tag and list(data["correct_answers"]) == names
        key = [case.key[line] for line in case.task.lines]
        assert list(data["correct_answers"].values()) == pytest.approx(key, 1e-5)
        slip = case.task.slips_of("step")[0]
        wrong = case.machine.slip_value(slip, case.machine.line("step"), *case.machine.run(case.numbers))
        data["submitted_answers"][f"line{case.task.lines.index('step') + 1}"] = wrong
        server.grade(data)
        assert [text.endswith(slip.hint) for text in data["feedback"].values()] == [True]


@pytest.mark.parametrize("name", some_quick())
def test_a_templates_only_tags_are_its_own(name):
    tags = re.findall(r"{{.*?}}", question(case_by_name(name)))  # of {{d}}^{2} a template would leave ^{2}
    assert tags and all(re.fullmatch(r"{{[#/]?(params\.given|feedback\.line\d+)}}|{{{\.}}|", tag) for tag in tags), tags


# ---------------------------------------------------------------------- pages, tables, names

class Elements(HTMLParser):
    """The elements and the texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.attributes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.texts.append(data)


def test_names_stay_text_everywhere():
    case = case_by_name("sgd_step")
    plain = Elements(document("x", [sheet(case, Person("name", "id")), key_part(case, Person("name", "id"))]))
    for name in HOSTILE:
        shown = Elements(document("x", [sheet(case, Person(name, "id")), key_part(case, Person(name, "id"))]))
        assert shown.attributes == plain.attributes and shown.tags == plain.tags or not name
        cell = list(csv.reader(key_table([Dealt(case, Student("g", name, "1", ""))]).splitlines()))[1][2]
        assert cell[:1] not in ("=", "+", "-", "@")
        assert "<script" not in markdown(Dealt(case, Student("g", name, "1", "")))


def test_a_sheet_shows_no_answer_and_a_key_shows_all():
    for name in ("expression_a", "softmax_cross_entropy"):
        case = case_by_name(name)
        shown = " ".join(Elements(sheet(case)).texts)
        for line, value in case.key.items():
            if len(f"{value:.3g}".strip("-0.")) == 3:  # a number of three digits isn't one of those given
                assert f"{abs(value):.3g}" not in shown.replace("\N{MINUS SIGN}", "-"), line
        key = " ".join(Elements(key_part(case)).texts)
        assert all(f"{float(f'{value:.10g}'):.4g}" in key for value in case.key.values())
        assert case.tag in shown and "<math" in sheet(case) and "<svg" in sheet(case)


@pytest.mark.parametrize("name", some_quick())
def test_a_drawing_holds_no_number_that_the_sheet_gives_otherwise(name):
    drawn = " ".join(Elements(drawing(case_by_name(name)).svg()).texts)
    for key, value in case_by_name(name).numbers.items():
        assert not re.search(rf"(?<!\w){key} = -?\d", drawn), (key, value)


@pytest.mark.slow
def test_a_bias_is_a_row_where_examples_are_rows():
    text = markdown(Dealt(case_by_name("ticket_network"), Student("", "", "", "")))
    assert re.search(r"b_\{1\} = \\begin{pmatrix} [^\\]*&", text)
    text = markdown(Dealt(case_by_name("mlp_regression"), Student("", "", "", "")))
    assert re.search(r"b_\{1\} = \\begin{pmatrix} [^&]*\\\\", text)  # a column, as in W1ᵀ x + b1


@pytest.mark.parametrize("name", some_quick())
def test_every_task_is_written_in_every_format(name, tmp_path):
    assert main(["variants", name, "--count", "1", "--format", "html", "--format", "markdown", "--format", "practice",
                 str(tmp_path)]) == 0
    case = case_by_name(name)
    assert (tmp_path / "practice" / f"{name}_0.html").is_file() and (tmp_path / "key.html").is_file()
    text = (tmp_path / "markdown" / f"{case.tag}.md").read_text(encoding="utf-8")
    assert text.count("=$") == len(case.task.lines)


def test_without_a_secret_one_is_made_once_for_its_owner_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "students.csv").write_text("submission,name,id,email\ng1,Ada,4711,a@x\n")
    given = ["variants", "sgd_step", "--students", str(tmp_path / "students.csv")]
    assert main([*given, str(tmp_path / "a")]) == 0 and "A new secret" in capsys.readouterr().out
    assert main([*given, str(tmp_path / "b")]) == 0 and "A new secret" not in capsys.readouterr().out
    assert (tmp_path / "a" / "key.csv").read_bytes() == (tmp_path / "b" / "key.csv").read_bytes()
    secret = tmp_path / ".course_secret"
    assert len(secret.read_text().strip()) == 64 and (os.name == "nt" or secret.stat().st_mode & 0o077 == 0)


def test_the_list_names_every_task(capsys):
    with pytest.raises(SystemExit) as end:
        main(["variants", "--list"])
    assert not end.value.code and [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(TASKS)


def test_a_class_gets_numbers_from_the_secret(tmp_path, capsys):
    (tmp_path / "students.csv").write_text("submission,name,id,email\ng1,Ada,4711,a@x\ng1,Bob,4712,b@x\n")
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    given = ["variants", "sgd_step", "--students", str(tmp_path / "students.csv")]
    secret = ["--secret", str(tmp_path / "secret")]
    assert main([*given, *secret, str(tmp_path / "a")]) == main([*given, *secret, str(tmp_path / "b")]) == 0
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():  # the same bytes each time, and the secret in none of them
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
            assert b"0123456789abcdef" not in path.read_bytes()
    rows = list(csv.DictReader((tmp_path / "a" / "key.csv").read_text().splitlines()))
    seeds = [graded_seed(b"0123456789abcdef", person, "sgd_step") for person in ("4711", "4712")]
    assert [int(row["seed"], 0) for row in rows] == seeds
    assert rows[0]["seed"] not in (tmp_path / "a" / "sheets.html").read_text()
    assert main([*given, *secret, "--format", "practice", str(tmp_path / "c")]) == 2
    assert main(["variants", "sgd_step", str(tmp_path / "c")]) == 2
    assert main(["variants", "sgd_step", "--count", "0", str(tmp_path / "c")]) == 2
    said = capsys.readouterr().err
    assert "never made of numbers that count" in said and "Give either --students" in said and "at least 1" in said
    with pytest.raises(Exception, match="each student needs an id"):
        deal(TASKS["sgd_step"], [Student("g", "Ada", "", "")], b"")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
