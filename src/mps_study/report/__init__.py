"""What people look at: tables, figures, the HTML page and the explorer, from the frames of a study.

Knows the engine's records; asks no model and knows no Kedro.
"""
