"""What happens around a run: checks before it, claims and failures while it runs, lines of log, MLflow.

Knows all rooms but `app`; only `tracking` knows MLflow. A new hook is a class here and a word in `settings.HOOKS`.
"""
