"""`python -m tests.mutants.wild [STARTS]` prints what our checker says of the bank, and the table of all checkers."""
from tests.mutants.measure import starts_asked_for
from tests.mutants.wild.measure import print_tables

if __name__ == "__main__":
    print_tables(starts_asked_for("tests.mutants.wild", 1))
