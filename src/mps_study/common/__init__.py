"""What several rooms share: bars of progress, Ctrl-C, digests, the answer to an unknown name, ImageNet's classes.

Knows nothing of ours.
"""
