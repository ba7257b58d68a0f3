"""`python -m lib.gradient_checking`: the board of the sheet."""
from lib.gradient_checking.command import run

if __name__ == "__main__":
    run()
