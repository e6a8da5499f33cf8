"""The data_sampling pipeline."""
