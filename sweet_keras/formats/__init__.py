"""Checkpoints of other libraries: read as a plain network, and written from one.

One small file for each format holds the table of its names, which both directions use.
"""
