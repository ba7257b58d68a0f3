#!/bin/sh
# Set up what is needed, then run the tests and the style check: sh runtests.sh [options for pytest]
cd "$(dirname "$0")" || exit 1

# The first Python that is new enough: that of an active environment comes first on the PATH.
for candidate in python3 python python3.13 python3.12 python3.11 python3.10 python3.9 python3.8; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1; then
        start=$candidate
        break
    fi
done
if [ -z "$start" ]; then
    echo "Python 3.8 or newer is needed, but none was found. Install it from python.org." >&2
    exit 1
fi
python=$("$start" environment.py) || exit 1

# Small matrices are fastest on one thread, above all on a machine that others use too.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 VECLIB_MAXIMUM_THREADS=1

"$python" -m pycodestyle --max-line-length 120 .
style=$?
"$python" -m pytest "$@"
tests=$?

[ $tests -eq 0 ] && tests_said="all passed" || tests_said="FAILED (see above)"
[ $style -eq 0 ] && style_said="clean" || style_said="FAILED (see the top)"
echo "Tests: $tests_said. Code style: $style_said."
[ $tests -eq 0 ] && [ $style -eq 0 ]
