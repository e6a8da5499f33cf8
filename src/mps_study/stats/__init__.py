"""Hypothesis tests on MPS sizes and positions: tidy frame in, tidy frame out."""
