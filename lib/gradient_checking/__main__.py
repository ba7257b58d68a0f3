"""`python -m lib.gradient_checking`: the board of the sheet."""
import sys

from lib.gradient_checking.command import main

if __name__ == "__main__":
    sys.exit(main())
