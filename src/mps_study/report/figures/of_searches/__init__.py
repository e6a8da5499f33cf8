"""Figures of a study with more than one search."""
