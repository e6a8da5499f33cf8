"""The roster: which models there are, where their weights come from, and what timm says to their names.

Knows nothing of how a model is trained, exported or asked.
"""
