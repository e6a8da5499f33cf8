"""The tests, one family a file: each takes a frame and the parameters, and returns rows.

Knows the samples.
"""
