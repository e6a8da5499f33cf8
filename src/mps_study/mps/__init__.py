"""The search engine: one image and a classifier that answers mutants -> a minimal sufficient pixel set.

Here lies what a search is made of and what other rooms import; `rex/`, `minimal/`, `group_testing/` and `tiled/` hold
the strategies, `common/` what these share. It knows NumPy and nothing else: no model, file, device or study.
"""
