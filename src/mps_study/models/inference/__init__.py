"""Asking a model: what its ONNX file says of itself, an image as its input, its answers to mutants, their speed.

Knows ONNX Runtime and the engine's mutants; neither torch nor timm.
"""
