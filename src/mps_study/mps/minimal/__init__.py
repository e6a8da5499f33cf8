"""Minimal sets: tiles of the image are added and deleted until none can be spared.

It knows what all strategies share, and not `rex/`.
"""
