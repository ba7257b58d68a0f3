"""The instructor's side: release a sheet with gaps, grade what comes back. See grading/README.md.

The vocabulary. A *sheet* is described by its sheet.json. A *gap* is the place in a file where a student writes. A
*probe* is one question to the code in a gap, worth a share of the task's points. A *box* is a process, as isolated as
the machine allows, in which the student's code runs; the *child* is the program in it, and the *parent* the one that
asks. Only the parent knows what is right.
"""
