"""The probing pipeline."""
