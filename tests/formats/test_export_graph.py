"""Each graph is run by its own runtime, for batches of two sizes."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from formats.foreign import images, need
from formats.networks import GREY, classifier, network, same
from keras_checks import numpy

import sweet_keras as sk

MODELS = {
    "logits": lambda rng: classifier(rng, "token", register_tokens=2, size="L1H2"),
    "grey tokens": lambda rng: network(rng, **GREY, class_token=False),
}


def run_onnx(path, pixels):
    session = need("onnxruntime").InferenceSession(path)
    (argument,) = session.get_inputs()
    assert argument.name == "images"
    return session.run(None, {"images": pixels})[0]


def run_torch(path, pixels):
    torch = need("torch")
    return torch.export.load(path).module()(torch.as_tensor(pixels)).detach().numpy()


def run_litert(path, pixels):
    interpreter = need("ai_edge_litert.interpreter").Interpreter(str(path))
    argument = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(argument, pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(argument, pixels)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def run_saved_model(path, pixels):
    """In a process of its own: TensorFlow is not to be mixed into that of the tests."""
    need("tensorflow")
    np.save(path.parent / "pixels.npy", pixels)
    code = (
        "import sys, numpy, tensorflow as tf; path, pixels, out = sys.argv[1:];"
        "serve = tf.saved_model.load(path).serve;"
        "numpy.save(out, serve(numpy.load(pixels)).numpy())"
    )
    files = [str(path.parent / name) for name in ("pixels.npy", "out.npy")]
    subprocess.run([sys.executable, "-c", code, str(path), *files], check=True)
    return np.load(files[1])


RUNNERS = {
    "onnx": ("m.onnx", run_onnx, ("torch", "onnx", "onnxscript")),
    "torch_export": ("m.pt2", run_torch, ("torch",)),
    "litert": ("m.tflite", run_litert, ("tensorflow",)),
    "saved_model": ("m", run_saved_model, ("tensorflow",)),
}


@pytest.mark.parametrize("format, kind", [(f, k) for f in RUNNERS for k in MODELS])
def test_outputs(rng, tmp_path, format, kind):
    if kind == "grey tokens" and format not in ("onnx", "litert"):
        pytest.skip("two models of each runtime's are enough")
    name, run, packages = RUNNERS[format]
    for package in packages:
        need(package)
    model = MODELS[kind](rng)
    path = sk.export(model, tmp_path / name, format=format)
    pixels = images(rng, model.input_shape[1:], 3)
    expected = numpy(model(pixels))
    same(run(path, pixels), expected)
    if format != "saved_model":
        same(run(path, pixels[:1]), expected[:1])


def test_arguments(rng, tmp_path, monkeypatch):
    vit = network(rng)
    for format, suffix in (("onnx", ".onnx"), ("litert", ".tflite"), ("torch_export", ".pt2")):
        with pytest.raises(ValueError, match=f"`path` must end in {suffix}"):
            sk.export(vit, tmp_path / "m.x", format=format)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"onnx needs torch: pip install 'sweet_keras\[torch\]'"):
        sk.export(vit, tmp_path / "m.onnx", format="onnx")
    assert not list(tmp_path.iterdir())
