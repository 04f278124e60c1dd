"""Networks of other sizes from bases that the layers of a trained one share."""

from __future__ import annotations

from typing import Any

from sweet_keras.core import resize
from sweet_keras.core.kernel_types import KERNEL_TYPES, by_type
from sweet_keras.core.shared_svd import fit_shared_svd
from sweet_keras.core.size import ViTSize
from sweet_keras.initialization.brief_fit import fit_generated
from sweet_keras.initialization.resized_twin import resized_twin
from sweet_keras.layers.singular_template import SingularTemplate
from sweet_keras.layers.stacked_weights import to_numpy
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone


def fine_vit(source: ViTBackbone, rank: int | None = None) -> GeneratedViT:
    """Fits U, V and S of each kernel type to a trained network (see `fit_shared_svd`).

    Args:
        source: A trained network; it stays as it is.
        rank: Columns of U and V, D by default.

    Returns:
        A network with these kernels and the rest of the source. Trained on, U, V and S are trained.

    Raises:
        ValueError: If the rank is not from 1 to D, or the network has stochastic depth.

    Reference:
        FINE: Factorizing Knowledge for Initialization of Variable-sized Diffusion Models,
        2409.19289. To fit U, V and S to the kernels in the sense of least squares, before or
        instead of training them in the network, is a decision of this project.
    """
    arrays = source.arrays()
    blank = source.twin()
    blank.load_arrays(arrays)
    network = GeneratedViT.around(blank, SingularTemplate, rank=rank)
    for kind, kernels in by_type(arrays).items():
        first, diagonals, last = fit_shared_svd(kernels, network.expansion.rank)
        network.expansion.input_bases[kind].assign(first)
        network.expansion.output_bases[kind].assign(last)
        network.expansion.scalers[kind].assign(diagonals)
    return network


def fine_start(source: GeneratedViT, size: str | ViTSize) -> GeneratedViT:
    """The same bases, frozen, under the S of another size.

    S is interpolated linearly over relative depth; U and V are cut to the first channels, or
    repeated (decisions of this project). What is left is to fit S and the rest to images, by any
    loss: as the encoder of a `MaskedAutoencoder` (see `fine`), or as the backbone of an
    `ImageGenerator`, and then to write the kernels out.

    Args:
        source: Made by `fine_vit`.
        size: Of the target.

    Raises:
        ValueError: If the source is of another kind.
    """
    old = getattr(source, "expansion", None)
    if not isinstance(old, SingularTemplate):
        raise ValueError(
            f"`source` must be what `fine_vit` makes. Received: {type(source).__name__}"
        )
    target = ViTSize.parse(size, source.head_dim)
    blank = resized_twin(source.backbone, target)
    network = GeneratedViT.around(blank, SingularTemplate, rank=old.rank, train_bases=False)
    new, dim = network.expansion, target.embed_dim
    layers = resize.depth_map(source.size.depth, target.depth, "linear")
    for kind in KERNEL_TYPES:
        # An MLP's hidden axis is several times D, each part cut by itself.
        inputs, outputs = (
            to_numpy(bases[kind]).reshape(-1, source.embed_dim, old.rank)
            for bases in (old.input_bases, old.output_bases)
        )
        inputs = resize.resize_input_width(inputs, 1, dim)
        outputs = resize.resize_width(outputs, 1, dim)
        new.input_bases[kind].assign(inputs.reshape(-1, old.rank))
        new.output_bases[kind].assign(outputs.reshape(-1, old.rank))
        new.scalers[kind].assign(resize.resize_depth(to_numpy(old.scalers[kind]), layers))
    return network


def fine(
    source: MaskedAutoencoder,
    size: str | ViTSize,
    *,
    adapt: Any = None,
    epochs: float = 0.16,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    steps: int | None = None,
    seed: int | None = None,
) -> ViTBackbone:
    """Fits S of a target size to images, and writes the kernels out; see `fine_start`.

    Args:
        source: Trained, around an encoder made by `fine_vit`.
        size: Of the target.
        adapt: Images (n, height, width, channels), or a data set of image batches together with
            `steps`. Without it nothing is fitted.
        epochs: Passes over the images.
        batch_size: Images in a step.
        learning_rate: Highest rate of Adam.
        steps: Number of steps instead of `epochs`.
        seed: Seed of shuffling and masks.

    Raises:
        ValueError: If the source is of another kind.
    """
    network = fine_start(source.encoder, size)
    if adapt is not None:
        fit_generated(source, network, adapt, epochs, batch_size, learning_rate, steps, seed)
    return network.materialize()
