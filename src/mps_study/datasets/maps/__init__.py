"""Maps by which a search ranks pixels: those that the study makes, and those that a user brings.

Both are read an image at a time.
"""
