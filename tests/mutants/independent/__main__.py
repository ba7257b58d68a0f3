"""`python -m tests.mutants.independent [STARTS]` prints what our checker says of it, and the table of all checkers."""
import sys

from tests.mutants.independent import RIGHT, WRONG
from tests.mutants.independent.measure import is_accused, outcome
from tests.mutants.wild.measure import print_tables

if __name__ == "__main__":
    print_tables(int(sys.argv[1]) if len(sys.argv) > 1 else 1, RIGHT, WRONG, is_accused, outcome)
