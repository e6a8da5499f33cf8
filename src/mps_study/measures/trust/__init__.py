"""How far sets can be trusted, and what they say about models: a question a file, all answers in one tidy frame.

`questions.py` has them by name; `rows.py` what a row is; `frames.py` what they are made of.
"""
