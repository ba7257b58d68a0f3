"""One file a library. Each has a function `runner(task)`, which returns an object with three methods:

    step()    one training step (or whatever the task calls one), left running if the library works in the background
    finish()  wait until the work is done
    loss()    the loss of the task's batch with the weights as they are now

and may have a number `times`, if its step stands for so many. Each file also has `version()`. `runner` raises
Unsupported, with a reason, if the library can't do a task's work.
"""


class Unsupported(Exception):
    """The library can't do this task's work; the message says why."""
