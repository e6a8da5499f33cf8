"""An exported model: timm to ONNX, an ONNX file taken over, the card, and the check that both answer alike.

Knows the roster, weights and inference; torch only where it exports.
"""
