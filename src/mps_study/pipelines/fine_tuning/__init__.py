"""The fine_tuning pipeline."""
