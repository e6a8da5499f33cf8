"""Saliency maps: which pixels a method holds to matter, as an order in which a search may keep them.

A method is a frozen dataclass of its published parameters beside its algorithm; `methods.py` has them by name. It knows
models, and of the engine only what a ranking is. captum and torch are loaded when a map is made.
"""
