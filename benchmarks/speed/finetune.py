"""Fine-tuning a materialised network, against timm's (a plain loop) and KerasHub's (`fit`)."""

import numpy as np

from . import classifiers
from .fit_clock import fit_seconds
from .interleave import as_rates, in_turns, judge
from .networks import image_batches
from .request import Request
from .sizes import parse


def measure(request: Request) -> list[tuple[dict, dict]]:
    """A row for each peer: timm on the torch backend, KerasHub where it is installed."""
    size, _ = parse(request.size)
    batches = image_batches(size, request.batch)
    rng = np.random.default_rng(1)
    labels = [rng.integers(0, classifiers.CLASSES, request.batch) for _ in batches]
    model = classifiers.compile_model(classifiers.ours(size))
    feed = list(zip(batches, labels, strict=True))
    steps = request.steps(model, feed)
    ours = fit_seconds(model, feed, steps)
    found = []
    for name, make in {"timm": _timm, "keras-hub": _keras_hub}.items():
        if request.peer not in ("", name) or (name == "timm" and request.backend != "torch"):
            continue
        peer = make(size, batches, labels, steps, request)
        ours(), peer()
        pairs = in_turns(ours, peer, request.repeats)
        row = request.row("images/s", *as_rates(pairs, request.batch), judge(pairs), name)
        about = {"pairs": len(pairs), "seconds": pairs, "steps": steps, "network": size.vit,
                 "image_shape": size.image_shape}  # fmt: skip
        found.append((row, about))
    return found


def _timm(size, batches, labels, steps, request: Request):
    import torch

    from . import peers_torch

    torch.set_num_threads(request.threads)
    module = peers_torch.timm_vit(size, classifiers.CLASSES)
    module = module.to(peers_torch.place(request.device)).train()
    targets = [torch.from_numpy(y).to(peers_torch.place(request.device)) for y in labels]
    tensors = peers_torch.float_batches(batches, request.device)

    def loss(images, target):
        return torch.nn.functional.cross_entropy(module(images), target)

    feed = list(zip(tensors, targets, strict=True))
    return peers_torch.loop_seconds(module, loss, feed, steps, request.device)


def _keras_hub(size, batches, labels, steps, request: Request):
    model = classifiers.compile_model(classifiers.keras_hub(size))
    feed = [
        ((images.astype("float32") - 127.5) / 127.5, y)
        for images, y in zip(batches, labels, strict=True)
    ]
    return fit_seconds(model, feed, steps)
