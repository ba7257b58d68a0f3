"""The instructor's side: release a sheet with gaps, grade what comes back. See grading/README.md.

The vocabulary. A *sheet* is described by its sheet.json. A *gap* is the place in a file where a student writes. A
*probe* is one question to the code in a gap, worth a share of the task's points. A *box* is a process, as isolated as
the machine allows, in which the student's code runs; the *child* is the program in it, and the *parent* the one that
asks. Only the parent knows what is right.
"""
from importlib.util import find_spec

if find_spec("numpy") is None:
    from environment import rerun_module_in_environment  # it stands beside this folder
    rerun_module_in_environment()  # `python -m` of a module of this package goes on in .venv
