"""Side-by-side timings of training steps against other libraries: `python -m benchmarks`."""
