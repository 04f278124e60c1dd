"""Small labelled images in a file, and options that train on them in moments."""

import io
import signal

import numpy as np
import pytest
from rich.console import Console

_TINY = {
    "image_size": "8",
    "channels": 1,
    "size": "L2H2",
    "head_dim": 8,
    "patch_size": 4,
    "mask_ratio": 0.5,
    "decoder": "L1H1",
    "batch_size": 8,
    "epochs": 3,
    "seed": 3,
}


@pytest.fixture
def answered():
    """SIGINT is not ignored, as it is by what a shell starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def tiny():
    """Options of a pre-training."""
    return dict(_TINY)


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A file of two classes that are easy to tell apart: bright on top, or bright below."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 40), ("test", 12)):
        labels = np.arange(count) % 2
        images = rng.integers(0, 100, (count, 8, 8, 1))
        images[labels == 0, :4] += 150
        images[labels == 1, 4:] += 150
        arrays |= {f"x_{split}": images.astype("uint8"), f"y_{split}": labels}
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    np.savez(path, **arrays)
    return str(path)
