"""Roster, weights, fine-tuning, ONNX export, and the classifier that answers mutants."""
