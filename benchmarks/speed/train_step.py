"""A step of pre-training: the template against the same network with plain kernels."""

from .fit_clock import fit_seconds
from .interleave import as_rates, in_turns, judge
from .networks import autoencoder, image_batches
from .request import Request
from .sizes import parse


def measure(request: Request) -> list[tuple[dict, dict]]:
    """One row: images a second in `model.fit`, both in this process in turns."""
    size, variants = parse(request.size)
    batches = [(images,) for images in image_batches(size, request.batch)]
    models = [autoencoder(size, variants, request.batch, plain) for plain in (False, True)]
    steps = request.steps(models[0], batches)
    ours, peer = (fit_seconds(model, batches, steps) for model in models)
    ours(), peer()
    pairs = in_turns(ours, peer, request.repeats)
    result = judge(pairs)
    rates = as_rates(pairs, request.batch)
    row = request.row("images/s", *rates, result, "plain kernels")
    return [
        (
            row,
            {
                "pairs": len(pairs),
                "steps": steps,
                "seconds": pairs,
                "image_shape": size.image_shape,
                "network": size.vit,
                "parameters": [model.count_params() for model in models],
            },
        )
    ]
