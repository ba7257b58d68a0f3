"""Find or make a Python environment that has what requirements.txt lists, and print the path of its Python.

    python3 environment.py          prints the path; makes the folder .venv first where that is needed
    python3 environment.py --check  only says whether this Python has everything: exit status 0 or 1

`python -m lib.x`, `-m tests.x`, `-m exercises.x` and `-m benchmarks` come here, too, where a package is missing: they
are run again in that environment.

It needs nothing but the standard library, and never installs anything into a Python outside of .venv: if the Python
that runs it has all the packages, that one is used; otherwise .venv is. This file also has to be understood by
Pythons that are too old, to tell their users so: no f-strings here.
"""
from __future__ import print_function

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
OLDEST_PYTHON = (3, 8)
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)  # the one outside, if this one stands inside .venv


def say(message):
    """Print to the error stream, as the output is the path."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def fail(message):
    """Say what is wrong and what to do, and end with exit status 1."""
    say(message)
    sys.exit(1)


def venv_python():
    """Return the path of the Python inside .venv."""
    if os.name == "nt":
        return os.path.join(VENV, "Scripts", "python.exe")
    return os.path.join(VENV, "bin", "python")


def read_requirements():
    """Return (package, least version) for each line of requirements.txt."""
    with open(os.path.join(ROOT, "requirements.txt")) as file:
        lines = [line.split("#")[0].strip() for line in file]
    return [tuple(line.split(">=")) for line in lines if line]


def version_numbers(version):
    """Return "1.24.3" as (1, 24, 3); whatever follows the numbers is ignored."""
    return tuple(int(number) for number in re.match(r"\d+(\.\d+)*", version).group().split("."))


def missing_packages():
    """Return the requirements that this Python doesn't meet."""
    from importlib import metadata
    missing = []
    for package, least in read_requirements():
        try:
            good = version_numbers(metadata.version(package)) >= version_numbers(least)
        except Exception:  # not installed, or its description is damaged: both are mended by installing it
            good = False
        if not good:
            missing.append(package + ">=" + least)
    if not missing and not succeeds([sys.executable, "-c", "import numpy, scipy, matplotlib, pytest"]):
        missing = [package for package, _ in read_requirements()]  # descriptions without the packages: half removed
    return missing


def succeeds(command, show=False):
    """Run a command; return whether it ended with status 0. Its output is shown on the error stream if asked."""
    with open(os.devnull, "w") as nothing:
        try:
            return subprocess.call(command, stdout=sys.stderr if show else nothing,
                                   stderr=None if show else nothing, stdin=subprocess.DEVNULL) == 0
        except OSError:
            return False


def venv_is_ready():
    """Return whether .venv's Python runs and has every package."""
    return succeeds([venv_python(), os.path.abspath(__file__), "--check"])


def install_into_venv():
    """Install the requirements into .venv with its own pip, or with this Python's; return whether it worked."""
    install = ["install", "--quiet", "--disable-pip-version-check", "-r", os.path.join(ROOT, "requirements.txt")]
    if succeeds([venv_python(), "-m", "pip", "--version"]):
        return succeeds([venv_python(), "-m", "pip"] + install, show=True)
    return succeeds([BASE_PYTHON, "-m", "pip", "--python", venv_python()] + install, show=True)


def create_venv():
    """Make .venv anew: with pip where Python has ensurepip, otherwise without, for a pip from outside."""
    if os.path.isdir(VENV) and not os.path.islink(VENV):
        shutil.rmtree(VENV)
    elif os.path.lexists(VENV):
        os.remove(VENV)
    if succeeds([BASE_PYTHON, "-m", "venv", VENV]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    pip_outside = succeeds([BASE_PYTHON, "-m", "pip", "--python", BASE_PYTHON, "--version"])  # pip 22.3 has it
    if pip_outside and succeeds([BASE_PYTHON, "-m", "venv", "--without-pip", VENV]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    fail("This Python ({0}) can't make a virtual environment, as its module ensurepip is missing.\n"
         "On Debian and Ubuntu, install it with: sudo apt install python{1}.{2}-venv\n"
         "Elsewhere, install Python from python.org. Then run this again."
         .format(BASE_PYTHON, *sys.version_info[:2]))


def find_environment():
    """Return the path of a Python that has every package: this one, that of .venv, or of a new .venv."""
    if not missing_packages():
        return sys.executable
    if venv_is_ready():
        return venv_python()
    if succeeds([venv_python(), "-c", ""]):
        say("Completing the environment in .venv ...")
        if install_into_venv() and venv_is_ready():
            return venv_python()
    say("Setting up the environment in .venv (once; takes about a minute) ...")
    create_venv()
    if not (install_into_venv() and venv_is_ready()):
        shutil.rmtree(VENV, ignore_errors=True)
        fail("Installing the packages of requirements.txt into .venv failed; the reason stands above. "
             "Is this machine online? Then run this again.")
    say("Done. To use it for commands of your own, such as python -m pytest, activate it: " + activation())
    return venv_python()


def activation():
    """Return the line that activates .venv in the shells of this system."""
    if os.name == "nt":
        return r".venv\Scripts\Activate.ps1 (PowerShell) or .venv\Scripts\activate.bat (cmd)"
    return ". .venv/bin/activate"


def rerun_in_environment():
    """Run the current script again, with the same options, in an environment that has every package."""
    require_python()
    sys.exit(subprocess.call([find_environment()] + sys.argv))


def rerun_module_in_environment():
    """Run `python -m package.module` again, with the same options, in an environment that has every package.

    Packages call this while they are imported, if a package that they need is missing. Whoever imports them in another
    way gets Python's own message.
    """
    module = module_of_command()
    if module is None:
        return
    require_python()
    python = find_environment()
    if python != sys.executable:
        sys.exit(subprocess.call([python, "-m", module] + sys.argv[1:]))


def module_of_command():
    """Return which module `python -m` was asked to run, while its packages are imported; None for other commands.

    Python 3.8 has no sys.orig_argv, but runpy, which looks for the module, knows its name.
    """
    if sys.argv[:1] != ["-m"]:
        return None
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "_run_module_as_main":
            return frame.f_locals.get("mod_name")
        frame = frame.f_back
    return None


def ask_for_module():
    """End with a sentence, as a file of a package was run by its path: `python lib/network.py`."""
    path = os.path.relpath(os.path.abspath(sys.argv[0]), ROOT)
    if path.startswith(os.pardir) or not os.path.isfile(sys.argv[0]):  # at a prompt, by -c, in a notebook
        raise ImportError("lib is a package in the folder {0}. Start Python in there.".format(ROOT))
    say("{0} is part of a package, so it isn't run by its path. In the folder {1}, run: python -m {2}"
        .format(path, ROOT, os.path.splitext(path)[0].replace(os.sep, ".")))
    sys.exit(2)


def require_python():
    """Fail with a sentence if this Python is too old."""
    if sys.version_info < OLDEST_PYTHON:
        fail("This project needs Python {0}.{1} or newer, but {2} is Python {3}.{4}."
             .format(*(OLDEST_PYTHON + (sys.executable,) + tuple(sys.version_info[:2]))))


def main(arguments):
    """Run the command; return its exit status."""
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments == ["--check"]:
        return 1 if missing_packages() else 0
    if arguments:
        say("environment.py takes --check or nothing, but got {0}. --help says more.".format(" ".join(arguments)))
        return 2
    print(find_environment())
    return 0


if __name__ == "__main__":
    require_python()
    sys.exit(main(sys.argv[1:]))
