"""The search engine. Pure: NumPy only, and it never calls a model itself."""
