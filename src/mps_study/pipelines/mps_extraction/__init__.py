"""The mps_extraction pipeline."""
