"""What to install for the libraries of detectors and segmenters."""

EXTRAS = {"keras_cv": "cv", "keras_hub": "hub"}  # library: extra of this package
LIBRARIES = tuple(EXTRAS)
