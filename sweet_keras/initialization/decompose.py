"""From a plain vision transformer to a template."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from sweet_keras.core import schema
from sweet_keras.core.blocks import Kernels, kernels_to_blocks
from sweet_keras.core.channel_order import permute
from sweet_keras.core.decomposition_record import decomposition_record
from sweet_keras.core.form import form_of
from sweet_keras.core.hooi import hooi, hosvd
from sweet_keras.core.rank_choice import ranks_for_energy, ranks_for_parameters
from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.template import SweetTemplate
from sweet_keras.initialization.order_channels import find_order
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone

KEPT_ENERGY = 0.95  # by default, where ranks are chosen


def decompose(
    vit: ViTBackbone | MaskedAutoencoder | str | os.PathLike[str],
    ranks: Sequence[int] | float | str | None = None,
    *,
    energy: float | None = None,
    max_parameters: int | None = None,
    order: str = "none",
    images: Any = None,
    sweeps: int = 10,
) -> SweetTemplate:
    """Makes a template from a network that was trained without one.

    Its kernels become a Tucker product, by truncated HOSVD followed by alternating least squares;
    everything else is copied. With full ranks the scalers are identities, and the template is
    exactly the network.

    Args:
        vit: A trained network; or the masked autoencoder of one, whose decoder is then kept for
            `adapt`; or the path of a checkpoint (see `sweet_keras.load_vit`). It is left as it is.
        ranks: (r1, r2, r3) of the layer, input and output axes; a share (see
            `sweet_keras.core.ranks`); `"full"`; or `"auto"`: as few parameters as keep `energy`, or
            as much energy as fits `max_parameters`. By default `"auto"` if one of these is given,
            else `"full"`.
        energy: Share of the kernels' energy (their sum of squares) that is kept at least, in
            (0, 1]; 0.95 by default.
        max_parameters: Numbers that the template may have, without a decoder.
        order: `"none"`, or how channels, heads and hidden units are ordered before, so that
            narrower networks keep what matters: `"energy"` or `"activation"` (see
            `sweet_keras.order_channels`). The tokens of the template's network then have their
            channels in another order.
        images: Pixels (n, height, width, channels) in 0..255, for the order `"activation"`.
        sweeps: The most of alternating least squares; 0 for HOSVD alone.

    Returns:
        A template of the network's size. Under `"decomposition"` its record says the relative error
        of each kernel and the singular values of each axis; `sweet info` prints them.

    Raises:
        ValueError: If `vit` is no plain network, or the ranks and limits do not fit it or each
            other.

    Example:
    ```python
    template = sk.decompose(vit, energy=0.9, order="energy")
    small = sk.materialize(template, "L6H6")
    ```
    """
    network = plain_network(vit)
    decoder = vit.decoder_layer if isinstance(vit, MaskedAutoencoder) else None
    chosen = _check_choice(ranks, energy, max_parameters)
    arrays = network.arrays()
    if decoder is not None:
        arrays |= decoder.arrays()
    found = find_order(network, arrays, order, images)
    if found is not None:
        arrays = permute(arrays, found)
    kernels = Kernels(*(arrays.pop(name) for name in schema.KERNELS))
    # One part after another, so that no more than a layer is there twice.
    parts = [
        kernels_to_blocks(Kernels(*(kernel[layer] for kernel in kernels)))
        for layer in range(network.size.depth)
    ]
    del kernels
    axes = hosvd(parts)
    rest = sum(array.size for name, array in arrays.items() if not name.startswith("decoder/"))
    energies = [axis.energies for axis in axes]
    if chosen == "full":
        chosen = tuple(map(len, energies))
    elif chosen != "auto":
        chosen = choose_ranks(network.size, chosen, network.mlp_ratio)
    elif max_parameters is not None:
        chosen = ranks_for_parameters(energies, max_parameters - rest)
    else:
        chosen = ranks_for_energy(energies, KEPT_ENERGY if energy is None else energy)
    made = hooi(parts, chosen, axes, sweeps=sweeps)
    about = {
        "order": order,
        "channels": [] if found is None else found.channels.tolist(),
        **decomposition_record(parts, made, axes, network.mlp_ratio),
    }
    return SweetTemplate(
        size=network.size,
        image_shape=network.image_shape,
        patch_size=network.patch_size,
        arrays={**made.factors._asdict(), **arrays},
        class_token=network.class_token,
        positions=network.positions,
        layer_scale=network.layer_scale is not None,
        pixel_mean=network.pixel_mean,
        pixel_std=network.pixel_std,
        decoder=None if decoder is None else decoder.vit_size,
        record={"decomposition": about},
        **form_of(network),
    )


def plain_network(vit: Any) -> ViTBackbone:
    """The network itself, or the one in a masked autoencoder or a file.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(vit, str | os.PathLike):
        from sweet_keras.formats.load_vit import load_vit

        return load_vit(vit)
    network = vit.encoder if isinstance(vit, MaskedAutoencoder) else vit
    if not isinstance(network, ViTBackbone):
        raise ValueError(
            "`vit` must be a ViTBackbone, a MaskedAutoencoder of one, or the path of a checkpoint. "
            f"Received: {type(network).__name__}"
        )
    return network


def _check_choice(ranks: Any, energy: float | None, max_parameters: int | None) -> Any:
    limits = [limit for limit in (energy, max_parameters) if limit is not None]
    chosen = ("auto" if limits else "full") if ranks is None else ranks
    if isinstance(chosen, str) and chosen not in ("full", "auto"):
        raise ValueError(
            f"`ranks` must be 'full', 'auto' or three positive integers. Received: {ranks!r}"
        )
    if len(limits) > 1 or (limits and chosen != "auto"):
        raise ValueError(
            "`energy` or `max_parameters` go with the ranks 'auto', one of them. Received: "
            f"ranks={ranks!r}, energy={energy!r}, max_parameters={max_parameters!r}"
        )
    return chosen
