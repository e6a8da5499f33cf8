"""The record store: what was found about each model, search and image, in Parquet shards.

A shard is whole or absent; bulky columns are read an image at a time. Knows the engine's records.
"""
