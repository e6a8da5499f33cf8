"""The Kedro pipelines: nodes unpack, call one function, return; pipeline.py wires."""
