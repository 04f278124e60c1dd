"""Layers on `keras.ops`."""
