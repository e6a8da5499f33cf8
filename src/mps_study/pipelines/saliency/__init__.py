"""The saliency pipeline."""
