"""The store of what models say of known sets."""
