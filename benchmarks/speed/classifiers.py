"""Classifiers of one size: a materialised network, timm's and KerasHub's."""

from typing import Any

from .networks import template_encoder
from .sizes import Size

CLASSES = 100


def ours(size: Size) -> Any:
    """A network made from a template, with a head."""
    import sweet_keras as sk

    template = template_encoder(size, frozenset(), 6272, class_token=True).template()
    return sk.ImageClassifier(sk.materialize(template), CLASSES)


def keras_hub(size: Size) -> Any:
    """KerasHub's network, without its preprocessing and its own `fit`, which takes arrays only."""
    import keras
    import keras_hub

    backbone = keras_hub.models.ViTBackbone(
        image_shape=size.image_shape,
        patch_size=size.patch,
        num_layers=size.depth,
        num_heads=size.heads,
        hidden_dim=size.dim,
        mlp_dim=4 * size.dim,
        use_class_token=True,
    )
    classifier = keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=CLASSES, preprocessor=None, pooling="token"
    )
    return keras.Model(classifier.inputs, classifier.outputs)


def compile_model(model: Any) -> Any:
    """AdamW and cross-entropy of logits, the same for both."""
    import keras

    model.compile(
        optimizer=keras.optimizers.AdamW(1e-4, weight_decay=0.05),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
