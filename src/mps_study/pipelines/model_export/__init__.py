"""The model_export pipeline."""
