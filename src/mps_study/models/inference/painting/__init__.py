"""Mutants put before a model: by a painter inside its graph, or with NumPy, equal to the bit.

Knows ONNX Runtime and the engine's mutants.
"""
