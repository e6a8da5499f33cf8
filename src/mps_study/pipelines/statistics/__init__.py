"""The statistics pipeline."""
