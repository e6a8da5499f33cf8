"""Weights: read from a package, a file or the hub into a timm model.

Knows the roster; knows torch and timm.
"""
