"""Kedro datasets of our own: images, models, checkpoints, MPS records, frames, claims, figures.

What is on disk is whole or absent. Knows models, images and mps by what it stores of them.
"""
