"""The models of a pre-training, built and compiled."""

import keras

from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.models.late_subnetworks import LateSubnetworks
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.geometry import parse_image_size, parse_ranks, parse_subnetworks
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.training import adamw, muon


def autoencoder(
    config: PretrainConfig, steps: int, encoder: ViTBackbone | None = None
) -> MaskedAutoencoder:
    """Returns the model, built and compiled.

    Args:
        config: The options.
        steps: Training steps in one epoch.
        encoder: A plain network to train instead of a template.
    """
    model = MaskedAutoencoder(
        encoder or _template_vit(config, visible=1 - config.mask_ratio),
        mask_ratio=config.mask_ratio,
        decoder=config.decoder,
        seed=config.seed,
    )
    model.build()
    _compile(model, config, steps)
    return model


def late_subnetworks(encoder: keras.layers.Layer, config: PretrainConfig) -> list[LateSubnetworks]:
    """Returns the callback by which a template's sub-networks join; none where there are none."""
    if not isinstance(encoder, SweetTemplateViT) or not encoder.subnetwork_rate:
        return []
    return [LateSubnetworks(encoder, config.subnetwork_start)]


def supervised(config: PretrainConfig, steps: int, classes: int) -> ImageClassifier:
    """Returns a template's network as a classifier, built and compiled like the autoencoder.

    Args:
        config: The options; those of mask and decoder are not used.
        steps: Training steps in one epoch.
        classes: Number of classes.
    """
    model = ImageClassifier(_template_vit(config, visible=1.0), classes)
    _compile(model, config, steps)
    return model


def generator(config: PretrainConfig, steps: int, classes: int) -> ImageGenerator:
    """Returns a template's network as a generator, built and compiled like the autoencoder.

    Args:
        config: The options.
        steps: Training steps in one epoch.
        classes: Number of classes.
    """
    model = ImageGenerator(
        _template_vit(config, visible=1.0), classes, seed=config.seed, **config.learning()
    )
    model.build()
    _compile(model, config, steps)
    return model


def _compile(model: keras.Model, config: PretrainConfig, steps: int) -> None:
    options = config.peak_rate, steps * config.epochs, config.warmup, config.weight_decay
    optimizer = muon(*options, accumulate=config.accumulate)
    if config.optimizer == "adamw":  # beta_2 as in 2111.06377
        optimizer = adamw(*options, beta_2=0.95, accumulate=config.accumulate)
    model.compile(
        optimizer=optimizer,
        jit_compile="auto" if config.jit is None else config.jit,
    )


def _template_vit(config: PretrainConfig, visible: float) -> SweetTemplateViT:
    image_shape = (*parse_image_size(config.image_size), config.channels)
    tokens = (
        config.batch_size
        // config.accumulate
        * (image_shape[0] // config.patch_size)
        * (image_shape[1] // config.patch_size)
    )
    return SweetTemplateViT(
        config.size,
        image_shape=image_shape,
        patch_size=config.patch_size,
        head_dim=config.head_dim,
        ranks=parse_ranks(config.ranks),
        subnetworks=parse_subnetworks(config.subnetworks),
        subnetwork_rate=config.subnetwork_rate,
        class_token=config.class_token,
        positions=config.positions,
        pixel_mean=config.pixel_mean,
        pixel_std=config.pixel_std,
        tokens=round(tokens * visible),
        seed=config.seed,
    )
