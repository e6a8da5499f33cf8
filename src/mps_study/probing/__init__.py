"""A known set under another condition: what a model says of it then, asked through the engine's own packer.

`conditions.py` has the conditions by name, `subsets.py` parts of a set, `asking.py` how they are asked. Nothing here
searches, reads files or knows where a set came from.
"""
