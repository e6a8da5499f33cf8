"""Minimal sets by adaptive group tests: what each tile is worth is learnt from every answer, and decides what is asked.

It knows the tiles of `minimal/` and what strategies on tiles share; nothing below `strategies.py` knows it.
"""
