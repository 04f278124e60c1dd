"""How good detections, segmentations and generated images are."""
