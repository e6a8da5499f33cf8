"""Which rows a test compares: images by correctness and vote, samples that are matched or independent.

Knows no test.
"""
