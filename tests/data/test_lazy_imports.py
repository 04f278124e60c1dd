import os
import subprocess
import sys

PROGRAM = """
import sys
from sweet_keras import data
HEAVY = ("keras", "grain", "PIL", "tensorflow_datasets", "tensorflow", "torch", "jax", "scipy")
def heavy():
    return [name for name in HEAVY if name in sys.modules]
assert heavy() == [], heavy()
source = data.open_source("fashion-mnist")
assert heavy() == [], heavy()
next(iter(data.pipeline(source, 8, image_shape=(28, 28, 1), augment="mae")))
loaded = set(heavy()) - {"grain"}
assert "keras" not in loaded and "PIL" not in loaded, loaded
"""


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,  # what is imported is what these tests import, installed or not
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
