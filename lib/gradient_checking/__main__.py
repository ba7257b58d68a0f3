"""`python -m lib.gradient_checking`: the board of the sheet."""
from lib.gradient_checking.command import main
from lib.saving.command_line import run_command

if __name__ == "__main__":
    run_command(main)
