"""Comparing sets of different models: areas, overlaps in a common frame, summaries."""
