"""Vision transformers of other libraries with random weights, and what they make of images."""

import importlib
import os

import keras
import keras_checks
import numpy as np
import pytest

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)  # of pixels in 0..1


def need(name):
    """Imports a library, or skips; in an environment that is said to have it, it must be there."""
    if os.environ.get("SWEET_KERAS_FORMATS"):
        return importlib.import_module(name)
    return pytest.importorskip(name)


def randomize(module, rng, spread=0.25):
    """Gives all parameters of a torch module random values, scales around one; returns it."""
    torch = need("torch")
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            scale = ("norm" in name and name.endswith("weight")) or "gamma" in name
            values = spread * rng.standard_normal(tuple(parameter.shape)) + scale
            parameter.copy_(torch.as_tensor(values))
    return module.eval()


def outputs(model, pixels):
    """What a Keras model makes of images. JAX compiles the whole of it, not each operation."""
    if keras.backend.backend() == "jax":
        return model.predict(pixels, verbose=0)
    return keras_checks.numpy(model(pixels))


def images(rng, shape, count=2):
    return rng.integers(0, 256, (count, *shape)).astype("float32")


def normalised(pixels, mean=MEAN, std=STD):
    """Channels first, as torch's libraries take them."""
    torch = need("torch")
    channels = pixels.shape[-1]
    pixels = (pixels / 255 - np.float32(mean[:channels])) / np.float32(std[:channels])
    return torch.as_tensor(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))


def pixel_arguments(channels=3):
    """The same normalisation for `load_vit`."""
    scaled = {"pixel_mean": MEAN, "pixel_std": STD}
    return {name: tuple(255 * v for v in values[:channels]) for name, values in scaled.items()}


def timm_tokens(model, pixels, **normalisation):
    """All tokens after the final norm."""
    torch = need("torch")
    with torch.no_grad():
        return model.forward_features(normalised(pixels, **normalisation)).numpy()


def hidden_states(model, pixels, normalisation=None, **options):
    """The last hidden states of a model of transformers."""
    torch = need("torch")
    with torch.no_grad():
        outputs = model(normalised(pixels, **(normalisation or {})), **options)
    return outputs.last_hidden_state.numpy()


def timm_vit(rng, **options):
    vit = need("timm.models.vision_transformer").VisionTransformer
    sizes = {"img_size": 16, "patch_size": 4, "embed_dim": 16, "depth": 2, "num_heads": 2}
    return randomize(vit(**{**sizes, "num_classes": 3, **options}), rng)


def transformers_model(rng, kind, config=None, **options):
    """A model of transformers, such as `kind="ViTModel"`, and of `config="ViTConfig"`."""
    transformers = need("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"image_size": 16, "patch_size": 4}
    if not config.startswith("Dinov2"):
        sizes["intermediate_size"] = 64
    settings = getattr(transformers, config)(**{**sizes, **options})
    return randomize(getattr(transformers, kind)(settings), rng)
