"""A class-conditional diffusion transformer."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
from keras import ops

from sweet_keras.core.template import SweetTemplate
from sweet_keras.layers.conditioning import Conditioning
from sweet_keras.layers.own_rows import draw_rows
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.noise_paths import PATHS
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.portable_compile_config import portable_compile_config
from sweet_keras.models.repeated_steps import RepeatedSteps
from sweet_keras.models.sampling import Sampling, check_sampling, run_frozen
from sweet_keras.models.take_average import take_average
from sweet_keras.models.vit_backbone import ViTBackbone


@keras.saving.register_keras_serializable("sweet_keras")
class ImageGenerator(RepeatedSteps, keras.Model):
    """Learns to make images of given classes from noise: `fit(images, labels)`, then `generate`.

    The blocks of a vision transformer predict, from noisy patches, a time and a label, how to get
    nearer to an image. They are the backbone's own, modulated by time and label through adaptive
    norms (see `Conditioning`) that start with every block as the identity and a prediction of zero.
    So a pre-trained backbone hands on kernels, biases, norms, patch embedding and positions; time
    and label embeddings, modulation and the last linear map are new.

    With a `SweetTemplateViT` the kernels stay a template, sub-networks included: this is how one is
    learned on images with labels.

    Args:
        backbone: A `ViTBackbone`, a `SweetTemplateViT`, or a `GeneratedViT`. It becomes part of the
            model. Its `image_shape` is that of the images, or of the latents.
        classes: Number of classes.
        objective: `"flow"`, velocities along straight lines, or `"ddpm"`, the noise, on a cosine
            schedule (see `sweet_keras.models.noise_paths`).
        label_dropout: Share of a training batch whose label is hidden, so that `generate` can be
            guided by what the label adds.
        encoder: Makes latents (B, h, w, c) of images, any Keras model, or registered function. It
            is not trained, and runs as in inference. The `pixel_mean` and `pixel_std` of the
            backbone normalise latents then.
        decoder: The way back, latents to pixels in 0..255.
        seed: Of noise, times and hidden labels in training.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255.
        noise: (B, h, w, c), standard normal, of the backbone's image shape. Drawn by default.
        time: (B,), from 0, image, to 1, noise. Drawn by default.
        hidden: (B,) booleans, whose label is hidden. By default drawn in training, else none.
        training: Whether it is training.

    Returns:
        A dictionary of `noisy` and `target`, both patches (B, N, P), `time` and `hidden`.

    Raises:
        ValueError: If `objective` or `label_dropout` is none, or there is only one of `encoder` and
            `decoder`.

    Example:
    ```python
    generator = sk.ImageGenerator(sk.materialize(template, "L6H6"), classes=10)
    generator.compile(optimizer=sk.KernelMuon())
    generator.fit(images, labels, epochs=100)
    images = generator.generate([0, 1, 2], guidance=2.0, seed=0)
    ```

    Reference:
        Peebles and Xie, Scalable Diffusion Models with Transformers, 2212.09748; guidance: Ho and
        Salimans, 2207.12598.
    """

    def __init__(
        self,
        backbone: ViTBackbone | SweetTemplateViT | GeneratedViT,
        classes: int,
        *,
        objective: str = "flow",
        label_dropout: float = 0.1,
        encoder: Any = None,
        decoder: Any = None,
        seed: int | None = None,
        **kwargs,
    ):
        kwargs.setdefault("dtype", backbone.dtype_policy)
        super().__init__(**kwargs)
        if objective not in PATHS:
            raise ValueError(
                f"`objective` must be one of {', '.join(PATHS)}. Received: {objective!r}"
            )
        if not 0.0 <= label_dropout < 1.0:
            raise ValueError(
                f"`label_dropout` must be at least 0 and below 1. Received: {label_dropout!r}"
            )
        if (encoder is None) != (decoder is None):
            raise ValueError(
                "`encoder` and `decoder` go together. "
                f"Received: encoder={encoder!r}, decoder={decoder!r}"
            )
        size = backbone.size
        self.backbone = backbone
        self.classes = classes
        self.objective = objective
        self.label_dropout = label_dropout
        self.seed = seed
        self.noise_path = PATHS[objective]
        self.encoder, self.decoder = encoder, decoder
        for model in (encoder, decoder):
            if isinstance(model, keras.Layer):
                model.trainable = False
        self.conditioning = Conditioning(
            size.depth,
            size.num_heads,
            size.head_dim,
            classes,
            name="conditioning",
            dtype="float32",  # in 16 bits a time of 1000 steps has no digits left for its sine
        )
        patches = backbone.patches
        self.pixels = keras.layers.Dense(
            patches.patch_size**2 * backbone.image_shape[2],
            kernel_initializer="zeros",
            name="pixels",
            dtype="float32",
        )
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._sampling = Sampling(self)

    def build(self, input_shape=None):
        if not self.backbone.built:
            self.backbone.build()
            self.backbone.built = True
        self.conditioning.build()
        self.pixels.build((None, None, self.backbone.embed_dim))
        self.built = True

    def call(self, images, noise=None, time=None, hidden=None, training=None):
        latents = images
        if self.encoder is not None:
            latents = ops.stop_gradient(run_frozen(self.encoder, images))
        patches = self.backbone.patches
        clean = patches.patchify(latents)
        batch = ops.shape(clean)[0]
        if noise is None:
            noise = draw_rows(keras.random.normal, tuple(ops.shape(clean)), self.seed_generator)
        else:
            noise = patches.cut(ops.cast(noise, "float32"))
        if time is None:
            time = self.noise_path.draw_times((batch,), self.seed_generator)
        if hidden is None:
            draw = draw_rows(keras.random.uniform, (batch,), self.seed_generator)
            hidden = draw < (self.label_dropout if training else 0.0)
        of_image, of_noise = self.noise_path.weights(ops.cast(time, "float32")[:, None, None])
        return {
            "noisy": of_image * clean + of_noise * noise,
            "target": self.noise_path.target(clean, noise),
            "time": time,
            "hidden": hidden,
        }

    def denoise(self, noisy, time, labels, heads=None, training=None):
        """The network: what it predicts of noisy patches.

        Args:
            noisy: (B, N, P).
            time: (B,).
            labels: (B,) integers; `classes` is no class.
            heads: Heads to narrow the backbone to (see `SweetTemplateViT`).
            training: Whether sub-networks are drawn and branches dropped.

        Returns:
            Velocity or noise (B, N, P), float32.
        """
        tokens = self.backbone.encode(
            noisy, None, heads, training, self.conditioning, (time, labels)
        )
        return self.pixels(tokens[:, self.backbone.patches.extra_tokens :])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if y is None:
            raise ValueError("Labels are needed: `fit(images, labels)`. Received: labels=None")
        labels = ops.reshape(ops.cast(y, "int32"), (-1,))
        labels = ops.where(y_pred["hidden"], self.classes, labels)
        prediction = self.denoise(y_pred["noisy"], y_pred["time"], labels, training=training)
        # A loss of Keras, not a mean of ours: on TensorFlow it counts for one device of several.
        return keras.losses.MeanSquaredError()(y_pred["target"], prediction)

    def fit(self, x=None, y=None, *args, **kwargs):
        warn_unless_pixels(x)
        if isinstance(y, np.ndarray | list):
            self._check_labels(np.asarray(y))
        history = super().fit(x, y, *args, **kwargs)
        take_average(self)
        return history

    def _check_labels(self, labels: np.ndarray) -> None:
        """An embedding takes any number, and some frameworks make NaN of one that it does not know.

        Raises:
            ValueError: If a label is no class.
        """
        least, most = (labels.min(), labels.max()) if labels.size else (0, 0)
        if labels.dtype.kind not in "iuf" or least < 0 or most >= self.classes:
            raise ValueError(
                f"`y` must hold integers from 0 to {self.classes - 1}. Received: {labels.dtype}, "
                f"from {least} to {most}"
            )

    def generate(
        self,
        labels: Any,
        *,
        steps: int = 50,
        guidance: float = 2.0,
        sampler: str | None = None,
        seed: int | None = None,
        noise: Any = None,
        batch_size: int = 128,
        dtype: str = "uint8",
    ) -> np.ndarray:
        """Makes images of the classes asked for.

        The steps are one compiled function, compiled at the first call with these `steps` and
        `sampler`. The noise is drawn by numpy: a seed gives the same images on every backend.

        Args:
            labels: (n,) integers.
            steps: Of the sampler; the default one of `"flow"` evaluates the network twice a step.
            guidance: g in v(none) + g (v(label) - v(none)): 1 is the model as trained, more makes
                images of a class more alike and easier to recognise.
            sampler: `"heun"` (the default) or `"euler"` for the objective `"flow"`, `"ddim"` for
                `"ddpm"`.
            seed: Of the noise.
            noise: (n, h, w, c), standard normal, of the backbone's image shape, instead of a seed.
            batch_size: Images at a time.
            dtype: `"uint8"`, or `"float32"`, neither rounded nor limited to 0..255.

        Returns:
            Images (n, height, width, channels), pixels in 0..255.

        Raises:
            ValueError: If an argument is not as described.
        """
        sampler = sampler or next(iter(self.noise_path.samplers))
        labels = np.asarray(labels)
        shape = (len(labels), *self.backbone.image_shape)
        check_sampling(self, labels, steps, sampler, noise, dtype)
        if noise is None:
            # Python's generator is the one that Keras seeds.
            seed = random.getrandbits(64) if seed is None else seed
            noise = np.random.default_rng(seed).standard_normal(shape)
        noise = np.asarray(noise, "float32")
        if not self.built:
            self.build()
        return self._sampling(noise, labels, steps, float(guidance), sampler, batch_size, dtype)

    def template(self, record=None) -> SweetTemplate:
        """The backbone's template, as data; what time and labels do is not part of it.

        Args:
            record: How it was trained: any JSON values.

        Raises:
            ValueError: If the backbone is a plain network.
        """
        if not isinstance(self.backbone, SweetTemplateViT):
            raise ValueError(
                "A template needs a SweetTemplateViT as `backbone`. "
                f"Received: {type(self.backbone).__name__}"
            )
        return self.backbone.template(record)

    def get_compile_config(self):
        return portable_compile_config(super().get_compile_config())

    def get_config(self):
        parts = {name: getattr(self, name) for name in ("backbone", "encoder", "decoder")}
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "classes": self.classes,
            "objective": self.objective,
            "label_dropout": self.label_dropout,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("backbone", "encoder", "decoder")
        }
        return cls(**{**config, **parts})
