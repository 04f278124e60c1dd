"""Each graph is run by its own runtime, for batches of two sizes."""

import importlib.util

import keras
import pytest
from formats.foreign import images, need, outputs
from formats.networks import GREY, classifier, network, same

import sweet_keras as sk
from sweet_keras.formats.export_graph import FRAMEWORKS

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
    model = need("tensorflow").saved_model.load(path)
    return model.serve(pixels).numpy()


RUNNERS = {
    "onnx": ("m.onnx", run_onnx),
    "torch_export": ("m.pt2", run_torch),
    "litert": ("m.tflite", run_litert),
    "saved_model": ("m", run_saved_model),
}
# The other framework's formats take another process, which takes long to start: one is enough.
FROM = {"torch": ("onnx", "torch_export", "litert"), "tensorflow": ("saved_model", "litert")}
FORMATS = FROM.get(keras.backend.backend(), ("onnx",))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("format", FORMATS)
def test_outputs(rng, tmp_path, format, kind):
    name, run = RUNNERS[format]
    need(FRAMEWORKS[format])
    if format == "onnx":
        need("onnxscript")
    if FRAMEWORKS[format] != keras.backend.backend() and kind != "logits":
        pytest.skip("one model is enough for another process")
    model = MODELS[kind](rng)
    path = sk.export(model, tmp_path / name, format=format)
    pixels = images(rng, model.input_shape[1:], 3)
    expected = outputs(model, pixels)
    same(run(path, pixels), expected)
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
