"""Figures of what was asked about known sets, and of what sets say about models."""
