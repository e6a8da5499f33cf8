"""The way in without Kedro: one image explained, from Python or by the command `mps-study`.

Knows every room below it; nothing knows it.
"""
