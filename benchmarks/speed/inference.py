"""Inference of a materialised network, against timm's (a plain loop) and KerasHub's."""

import numpy as np

from . import classifiers
from .clock import now
from .interleave import as_rates, in_turns, judge
from .networks import image_batches
from .request import Request
from .sizes import parse


def measure(request: Request) -> list[tuple[dict, dict]]:
    """A row for each peer: timm on the torch backend, KerasHub where it is installed."""
    size, _ = parse(request.size)
    images = np.concatenate(image_batches(size, request.batch))
    ours = _predict(classifiers.ours(size), images, request)
    found = []
    for name, make in {"timm": _timm, "keras-hub": _keras_hub}.items():
        if request.peer not in ("", name) or (name == "timm" and request.backend != "torch"):
            continue
        peer = make(size, images, request)
        ours(), peer()
        pairs = in_turns(ours, peer, request.repeats)
        row = request.row("images/s", *as_rates(pairs, 1), judge(pairs), name)
        about = {"pairs": len(pairs), "seconds_of_an_image": pairs, "network": size.vit,
                 "image_shape": size.image_shape}  # fmt: skip
        found.append((row, about))
    return found


def _repeated(call, images: int, request: Request):
    calls = request.calls(call)

    def run() -> float:
        began = now()
        for _ in range(calls):
            call()
        return (now() - began) / calls / images

    return run


def _predict(model, images, request: Request):
    def call():
        model.predict(images, batch_size=request.batch, verbose=0)

    return _repeated(call, len(images), request)


def _keras_hub(size, images, request: Request):
    pixels = (images.astype("float32") - 127.5) / 127.5
    return _predict(classifiers.compile_model(classifiers.keras_hub(size)), pixels, request)


def _timm(size, images, request: Request):
    import torch

    from . import peers_torch

    torch.set_num_threads(request.threads)
    module = peers_torch.timm_vit(size, classifiers.CLASSES)
    module = module.to(peers_torch.place(request.device)).eval()
    batches = peers_torch.float_batches(np.split(images, len(images) // request.batch),
                                        request.device)  # fmt: skip

    def call():
        with torch.no_grad():
            for batch in batches:
                module(batch).cpu()

    return _repeated(call, len(images), request)
