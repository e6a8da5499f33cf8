"""Sets of tiles by the ways of others: delta debugging, backward selection, structured attention graphs; and pruning.

It takes tiles, and the pruning of them, from `minimal/`, and a map that is given from `rex/`.
"""
