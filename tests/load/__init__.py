"""Benchmarks: each compares two ways in one run, and prints the ratio. `make bench` runs bench.py.

Of the tests only those are here that show that the benchmark works; tests/browser does it for what
a page shows.
"""
