"""Writing damaged template files and seeing that they are refused."""

import json

import numpy as np
import pytest
from core.safetensors_bytes import build, parse
from hypothesis import HealthCheck, settings
from template_factory import random_template, template_shapes

from sweet_keras.core.template import SweetTemplate

KEY = "sweet_keras"
# tmp_path is one folder for all examples: each writes the same file anew.
one_folder = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def saved_bytes(folder, **fields):
    """The bytes of a small valid file."""
    path = folder / "original.sweet"
    fields = {"size": "L1H2", "ranks": (2, 3, 4), "image_shape": (4, 8, 1), **fields}
    random_template(np.random.default_rng(3), **fields).save(path)
    return path.read_bytes()


def load(folder, content):
    path = folder / "a.sweet"
    path.write_bytes(content)
    return SweetTemplate.load(path)


def assert_refused(folder, content, match=None):
    with pytest.raises(ValueError, match=match) as caught:
        load(folder, content)
    message = str(caught.value)
    assert message.startswith("`path` must be a template written by sweet_keras. Received: ")
    assert repr(str(folder / "a.sweet")) in message
    return message


def with_metadata(content, text):
    """The file with another text in its metadata; the rest valid as before."""
    header, data = parse(content)
    header["__metadata__"][KEY] = text if isinstance(text, str) else json.dumps(text)
    return build(header, data)


def metadata_of(content):
    return json.loads(parse(content)[0]["__metadata__"][KEY])


def outcome(folder, content):
    """The template, or None where it was refused. Any other exception is a failure."""
    try:
        template = load(folder, content)
    except ValueError as error:
        assert repr(str(folder / "a.sweet")) in str(error)
        return None
    shapes = template_shapes(
        template.size, template.ranks, template.image_shape, template.patch_size,
        template.class_token, template.layer_scale, template.decoder,
        template.register_tokens, template.mlp_ratio,
    )  # fmt: skip
    assert {name: array.shape for name, array in template.arrays.items()} == shapes
    assert all(np.isfinite(array).all() for array in template.arrays.values())
    template.save(folder / "again.sweet")  # what was read can be written
    return template
