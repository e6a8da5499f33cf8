"""The explorer: every image with every model's set, one page with a script an image beside it.

Knows facts and the page whose look it shares.
"""
