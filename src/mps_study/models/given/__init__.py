"""Models that Python holds, no file of which need exist: torch modules, functions, sessions of ONNX Runtime.

Knows how ONNX models are asked (`inference/`) and nothing of files, rosters or exports; torch only where a module of it
was handed over.
"""
