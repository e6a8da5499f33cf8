"""Models: which ones (`roster`), their weights (`weights`, `training`), their ONNX files (`export`), asking them
(`inference`).

Knows `mps` by its mutants and replies. torch and timm are loaded where they train or export, and nowhere else.
"""
