"""torch and torchvision, before anything else is imported."""

import importlib.util

if importlib.util.find_spec("torch"):
    import torch  # must be loaded before TensorFlow

    if importlib.util.find_spec("torchvision"):
        # timm and transformers import torchvision, whose operators are not in torch's build for
        # CPUs alone; they need not work, but be there.
        _LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
        for _name, _signature in (
            ("nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
            ("qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
        ):
            _LIBRARY.define(_name + _signature)
