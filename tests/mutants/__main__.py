"""`python -m tests.mutants [STARTS]` prints what each checker catches and explains."""
import sys

from tests.mutants.measure import print_tables

if __name__ == "__main__":
    print_tables(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
