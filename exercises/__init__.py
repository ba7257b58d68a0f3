"""The course's exercise sheets, one folder a sheet, named by its topic."""
from importlib.util import find_spec

if find_spec("numpy") is None or find_spec("matplotlib") is None:
    from environment import rerun_module_in_environment  # it stands beside this folder
    rerun_module_in_environment()  # `python -m` of a module of this package goes on in .venv
