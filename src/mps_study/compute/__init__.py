"""Who works on what: units of work, and runners that work on them here or on a cluster. Never what is found.

The only room that knows Dask, which is loaded when a cluster is asked for.
"""
