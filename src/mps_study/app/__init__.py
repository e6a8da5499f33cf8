"""The way in without a run: one image explained, from Python or by `mps-study`; a study planned and watched.

Knows every room below it; nothing knows it.
"""
