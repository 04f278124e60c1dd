"""Pre-training with this library against other people's masked autoencoders, in PyTorch.

Same network, decoder, batch, precision and optimizer (AdamW); images in memory. Ours trains by
`model.fit` from uint8 images, the peers in a plain loop from tensors that are normalised already.
"""

import torch

from . import peers_torch
from .fit_clock import fit_seconds
from .interleave import as_rates, in_turns, judge
from .networks import autoencoder, image_batches
from .request import Request
from .sizes import parse


def measure(request: Request) -> list[tuple[dict, dict]]:
    """A row for each peer, or for the one that is asked for."""
    torch.set_num_threads(request.threads)
    size, variants = parse(request.size)
    batches = image_batches(size, request.batch)
    mae = autoencoder(size, variants, request.batch, plain="plain" in variants, class_token=True)
    steps = request.steps(mae, [(images,) for images in batches])
    ours = fit_seconds(mae, [(images,) for images in batches], steps)
    tensors = [(images,) for images in peers_torch.float_batches(batches, request.device)]
    found = []
    for name, (title, make) in peers_torch.PEERS.items():
        if request.peer not in ("", name):
            continue
        torch.manual_seed(0)
        module = make(size).to(peers_torch.place(request.device)).train()
        called = module
        if "compiled" in variants:
            title, called = title + ", torch.compile", torch.compile(module)
        if "bf16" in variants:
            called = peers_torch.in_bfloat16(called, request.device)
        peer = peers_torch.loop_seconds(module, called, tensors, steps, request.device)
        ours(), peer()
        pairs = in_turns(ours, peer, request.repeats)
        rates = as_rates(pairs, request.batch)
        about = {
            "pairs": len(pairs),
            "steps": steps,
            "seconds": pairs,
            "image_shape": size.image_shape,
            "network": size.vit,
            "decoder": size.decoder,
            "parameters": [mae.count_params(), sum(p.numel() for p in module.parameters())],
        }
        found.append((request.row("images/s", *rates, judge(pairs), title), about))
        del peer, called, module
    return found
