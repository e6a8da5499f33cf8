"""The Kedro pipelines, a folder a stage, in the order of `stages.STAGES`.

nodes.py unpacks, calls one function, returns; pipeline.py only wires. Knows every room below; no hook.
"""
