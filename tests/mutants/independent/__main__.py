"""`python -m tests.mutants.independent [STARTS]` prints what our checker says of it, and the table of all checkers."""
from tests.mutants.independent import RIGHT, WRONG
from tests.mutants.independent.measure import is_accused, outcome
from tests.mutants.measure import starts_asked_for
from tests.mutants.wild.measure import print_tables

if __name__ == "__main__":
    print_tables(starts_asked_for("tests.mutants.independent", 1), RIGHT, WRONG, is_accused, outcome)
