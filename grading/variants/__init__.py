"""Pen-and-paper tasks with numbers of one's own for each student, and a check that names each slip by its cause.

    python -m grading variants --list
    python -m grading variants skip_connection --count 3 practice
    python -m grading check-answers skip_connection --seed 0 answers.txt

The words of this package:

    task       a graph, its draw of numbers, the lines asked for and the known slips (task.py; the tasks are in tasks/)
    line       a number that is asked for, such as dL/dw0
    slip       a known mistake: another rule for a line, with its cause and a hint
    way        another right rule for a line, which people follow where the graph goes another way
    guess      a mistake that no task lists: a line's formula with one thing wrong in it (guesses.py)
    machine    the steps of a task's calculation, derived from its graph (calculation.py)
    draw       a task's numbers; one is used if every slip shows, apart from all others (draws.py)
    case       a task with the numbers of one seed, and its key
    seed, tag  where the numbers come from, and what a page prints so that answers find them (seeds.py)
    verdict    what is said of one line of a student's answers (check.py)
"""
