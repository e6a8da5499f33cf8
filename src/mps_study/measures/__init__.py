"""Comparing sets: areas, overlaps in a common frame of the source image, summaries, searches side by side.

Knows the engine's records by their frames; no model and no file.
"""
