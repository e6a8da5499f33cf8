"""Tables, their captions and their LaTeX. `all_tables.TABLES` has them all: a new table is a function and its row.

Knows the facts.
"""
