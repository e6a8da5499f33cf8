"""Figures, their captions and look. `all_figures.FIGURES` has them all: a new figure is a function and its row.

Knows the facts; only here is matplotlib.
"""
