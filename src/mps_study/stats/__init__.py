"""Hypothesis tests: tidy frame in, tidy frame out. `run.STATISTICS` has them all: a new one is a function and its row.

Knows pandas, SciPy and statsmodels; no model and no file.
"""
