"""The verification pipeline."""
