"""Where people see the object: annotations of a source's images. `reading.ANNOTATIONS` has all kinds, a row each.

Knows sources' ids and pictures' sizes; no model and no study.
"""
