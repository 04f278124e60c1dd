"""A vision transformer whose weights are made from other variables."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from sweet_keras.core.size import ViTSize
from sweet_keras.layers.stacked_weights import named_variables, read_weights, to_numpy
from sweet_keras.models.vit_backbone import ViTBackbone


@keras.saving.register_keras_serializable("sweet_keras")
class GeneratedViT(keras.layers.Layer):
    """A plain ViT that is trained under a constraint: some of its weights are generated.

    The expansion is evaluated once for each call, and the blocks of the network run with what it
    gives in place of their own variables. Gradients reach the variables of the expansion; the
    network's own ones for those weights are unused and not trainable. Use it as the encoder of a
    `MaskedAutoencoder`; `materialize` then gives an ordinary network.

    Args:
        backbone: A network of the size wanted, without stochastic depth. It becomes part of this
            layer; its own values count only for what is not generated.
        expansion: A layer that is called without arguments (Keras wants it to have an optional one)
            and gives the generated weights, a dictionary of tensors by the names of
            `sweet_keras.core.schema`, those of the blocks stacked, (L, ...). Its attribute `names`
            lists them.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255, of any type.
        training: Passed on to the network.

    Returns:
        Tokens (B, N, D): class token and registers, if there are, then the patches.

    Raises:
        ValueError: If the network has stochastic depth, or not the weights that are generated.
    """

    def __init__(self, backbone: ViTBackbone, expansion: keras.layers.Layer, **kwargs):
        kwargs.setdefault("dtype", backbone.dtype_policy)
        super().__init__(**kwargs)
        if backbone.drop_path:
            # Its random state could not be updated in the scope that the blocks run in.
            raise ValueError(
                "`backbone` must be without stochastic depth. "
                f"Received: drop_path={backbone.drop_path}"
            )
        named = named_variables(backbone)
        unknown = sorted(set(expansion.names) - set(named))
        if unknown:
            raise ValueError(f"`expansion` must give weights of the backbone. Received: {unknown}")
        self.backbone = backbone
        self.expansion = expansion
        for name in expansion.names:
            for variable in _as_list(named[name]):
                variable.trainable = False

    @classmethod
    def around(cls, backbone: ViTBackbone, expansion: type, **options: Any) -> GeneratedViT:
        """A built network.

        Args:
            backbone: See above.
            expansion: Class of a layer for the size and the MLP of the network.
            **options: Its other arguments.
        """
        size = backbone.size
        layer = expansion(
            depth=size.depth,
            num_heads=size.num_heads,
            head_dim=size.head_dim,
            mlp_ratio=backbone.mlp_ratio,
            name="expansion",
            dtype=backbone.dtype_policy,
            **options,
        )
        network = cls(backbone, layer)
        network.build()
        return network

    def build(self, input_shape=None):
        if not self.expansion.built:
            self.expansion.build()

    @property
    def patches(self) -> keras.layers.Layer:
        """The patch embedding of the network."""
        return self.backbone.patches

    @property
    def size(self) -> ViTSize:
        """Depth and width."""
        return self.backbone.size

    @property
    def head_dim(self) -> int:
        """Channels of a head."""
        return self.backbone.head_dim

    @property
    def embed_dim(self) -> int:
        """Channels of a token, D."""
        return self.backbone.embed_dim

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) in pixels."""
        return self.backbone.image_shape

    @property
    def parameters(self) -> int:
        """Numbers stored: the expansion's, and what it does not generate."""
        named = named_variables(self.backbone)
        own = [v for name in set(named) - set(self.expansion.names) for v in _as_list(named[name])]
        return sum(int(np.prod(v.shape)) for v in own + self.expansion.variables)

    def generated(self, conditioning: keras.layers.Layer | None = None) -> keras.StatelessScope:
        """A scope in which the network's variables have the generated values.

        All variables are given a value, generated or their own, since a scope within the one of a
        compiled JAX step does not look into the outer one.

        Args:
            conditioning: A layer that runs in the scope as well.
        """
        used = self.backbone.variables + (conditioning.variables if conditioning else [])
        values = {id(variable): (variable, variable) for variable in used}
        named = named_variables(self.backbone)
        for name, tensor in self.expansion().items():
            found = named[name]
            parts = enumerate(found) if isinstance(found, list) else [(..., found)]
            for at, variable in parts:
                values[id(variable)] = (variable, tensor[at])
        return keras.StatelessScope(list(values.values()), initialize_variables=False)

    def call(self, images, training=None):
        with self.generated():
            return self.backbone(images, training=training)

    def encode(
        self, patches, order=None, heads=None, training=None, conditioning=None, condition=()
    ):
        """See `ViTBackbone.encode`."""
        with self.generated(conditioning):
            return self.backbone.encode(patches, order, heads, training, conditioning, condition)

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights it runs with, float32, by the names of `sweet_keras.core.schema`."""
        made = {name: to_numpy(tensor) for name, tensor in self.expansion().items()}
        return read_weights(self.backbone) | made

    def materialize(self) -> ViTBackbone:
        """A plain network that computes the same, and knows nothing of the constraint."""
        network = self.backbone.twin()
        network.load_arrays(self.arrays())
        return network

    def compute_output_shape(self, input_shape):
        return self.backbone.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "expansion": keras.saving.serialize_keras_object(self.expansion),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("backbone", "expansion")
        }
        return cls(**{**config, **parts})


def _as_list(found: Any) -> list[keras.Variable]:
    return found if isinstance(found, list) else [found]
