"""The report: one HTML page of findings, tables and figures, with its template, style and script.

Knows facts, tables and figures.
"""
