"""`python -m tests.mutants.wild [STARTS]` prints what our checker says of the bank, and the table of all checkers."""
import sys

from tests.mutants.wild.measure import print_tables

if __name__ == "__main__":
    print_tables(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
