"""Our networks, compiled as a user would."""

import numpy as np

from .sizes import Size


def template_encoder(size: Size, variants: frozenset[str], tokens: int, class_token: bool = False):
    """The encoder of a SWEET masked autoencoder."""
    import sweet_keras as sk

    ranks = "auto"
    for name, part in (("half", 2), ("quarter", 4)):
        if name in variants:
            ranks = (12 * size.depth, size.dim // part, size.dim // part)
    return sk.SweetTemplateViT(
        size.vit,
        image_shape=size.image_shape,
        patch_size=size.patch,
        head_dim=size.head_dim,
        ranks=ranks,
        class_token=class_token,
        subnetwork_rate=0.4 if "subnetworks" in variants else 0.0,
        tokens=tokens,
        seed=0,
    )


def plain_encoder(size: Size, class_token: bool = False):
    """The same network with kernels of its own."""
    import sweet_keras as sk

    return sk.ViTBackbone(
        size.vit,
        image_shape=size.image_shape,
        patch_size=size.patch,
        head_dim=size.head_dim,
        class_token=class_token,
    )


def autoencoder(
    size: Size, variants: frozenset[str], batch: int, plain: bool = False, class_token: bool = False
):
    """A compiled masked autoencoder around a template, or around plain kernels."""
    import keras

    import sweet_keras as sk

    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16" if "bf16" in variants else "float32")
    if plain:
        encoder = plain_encoder(size, class_token)
    else:
        visible = round(size.patches * 0.25) + class_token
        encoder = template_encoder(size, variants, batch * visible, class_token)
    mae = sk.MaskedAutoencoder(encoder, decoder=size.decoder, seed=0)
    mae.build()
    if "remat" in variants:
        sk.rematerialize(mae)
    optimizer = keras.optimizers.AdamW(1e-4, weight_decay=0.05, beta_2=0.95)
    if "muon" in variants:
        optimizer = sk.KernelMuon(1e-4)
    mae.compile(optimizer=optimizer, jit_compile=True if "jit" in variants else "auto")
    mae.optimizer.build(mae.trainable_variables)
    return mae


def image_batches(size: Size, batch: int, count: int = 4) -> list[np.ndarray]:
    """A few batches in memory, pixels of random colour as uint8."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (batch, *size.image_shape), "uint8") for _ in range(count)]
