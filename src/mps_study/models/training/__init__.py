"""Fine-tuning: recipe, epochs that go on where a killed run stopped, and what training sets for its time.

Knows the roster, weights and export; knows torch and timm.
"""
