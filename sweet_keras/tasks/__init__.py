"""Detectors and segmenters: models of other libraries on vision transformers of this one."""
