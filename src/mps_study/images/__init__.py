"""Image sources, uniform sampling, decoding."""
