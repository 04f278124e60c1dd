"""Run directories: options, logs, checkpoints and results, and the procedures that fill them.

Importing this package loads neither keras nor a framework; the modules that train do.
"""
