"""What every strategy is built with and none of them owns: parameters and choices, chance, evidence.

It knows mutants and replies; no strategy, no configuration of a whole search.
"""
