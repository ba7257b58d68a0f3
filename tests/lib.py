"""What `import lib` finds if a file of this folder is run by its path, as in python tests/test_linear.py."""
import os
import sys

if __name__ == "lib":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from environment import ask_for_module
    ask_for_module()
