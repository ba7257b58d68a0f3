"""`python -m tests.mutants [STARTS]` prints what each checker catches and explains."""
from tests.mutants.measure import print_tables, starts_asked_for

if __name__ == "__main__":
    print_tables(starts_asked_for("tests.mutants", 20))
