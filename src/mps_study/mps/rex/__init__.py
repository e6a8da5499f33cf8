"""ReX: pixels are ranked by responsibility, and a set is a prefix of that ranking. Other rankings for the same scan.

`rankings.py` has the dictionary of rankings, `superpixels.py` that of cuts. It knows what all strategies share, and not
`minimal/`.
"""
