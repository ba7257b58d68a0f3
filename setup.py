"""What `pip install -e .` is told: this library is used where it stands."""
import os
import sys

sys.exit("This library isn't installed: it is read, changed and run where it stands. Run its commands in its folder "
         "({0}), as in python -m lib.gradient_utilities; its packages are those of requirements.txt. From elsewhere: "
         "PYTHONPATH={0}, or in a notebook sys.path.insert(0, {0!r})."
         .format(os.path.dirname(os.path.abspath(__file__))))
