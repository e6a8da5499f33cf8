"""What a project is: its conf and parameters, what a run of it needs of the world, the models of its rosters.

Knows images, models, mps and stats by their parameters; knows no pipeline and no hook.
"""
