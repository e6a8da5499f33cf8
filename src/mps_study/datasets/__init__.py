"""Kedro datasets of our own: images, models, checkpoints, MPS records, figures."""
