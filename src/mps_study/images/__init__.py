"""Image sources, uniform sampling, decoding. `sources.SOURCES` has all sources: a new one is a function and its row.

Knows no model and no study.
"""
