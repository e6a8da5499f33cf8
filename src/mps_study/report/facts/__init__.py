"""What a report reads and says in words: the study's results, which images are chosen, findings, numbers as text.

Knows no table, figure or page.
"""
