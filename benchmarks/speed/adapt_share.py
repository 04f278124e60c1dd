"""What fitting five sizes to images costs, against the pre-training that made the template.

Pre-training of 100 epochs: the seconds of a step in `fit` times the steps, eight in an epoch.
Fitting: `sk.adapt` as it is called, one epoch for each of five sizes, compilation and all. Under
3 % is a ratio above 33.
"""

import numpy as np

from .clock import now
from .fit_clock import fit_seconds
from .interleave import in_turns, judge
from .networks import autoencoder, image_batches
from .request import Request
from .sizes import parse

EPOCHS = 100
STEPS = 8  # of an epoch


def measure(request: Request) -> list[tuple[dict, dict]]:
    """One row."""
    import sweet_keras as sk

    size, variants = parse(request.size)
    mae = autoencoder(size, variants, request.batch)
    batches = image_batches(size, request.batch, STEPS)
    images = np.concatenate(batches)
    step = fit_seconds(mae, [(batch,) for batch in batches], STEPS)
    step()
    template = mae.template()
    depths = sorted({max(1, size.depth * part // 6) for part in (1, 2, 3, 4, 6)})
    heads = [max(1, size.heads * depth // size.depth) for depth in depths]
    names = [f"L{depth}H{count}" for depth, count in zip(depths, heads, strict=True)]

    def adapt() -> float:
        began = now()
        for name in names:
            sk.adapt(template.resize(name), images, batch_size=request.batch, seed=0)
        return now() - began

    pairs = in_turns(adapt, lambda: step() * STEPS * EPOCHS, min(3, request.repeats))
    result = judge(pairs)
    row = request.row("s", result.ours, result.peer, result, f"pre-training, {EPOCHS} epochs")
    about = {"pairs": len(pairs), "seconds": pairs, "sizes": names, "images": len(images),
             "remark": __doc__.partition("\n\n")[2].strip()}  # fmt: skip
    return [(row, about)]
