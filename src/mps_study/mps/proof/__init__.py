"""Asking a model again: the certificate of a minimal set, and all that a record says of its sets.

Knows the searches' parameters and their inquiry; trusts nothing but the masks.
"""
