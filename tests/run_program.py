"""A program in a process of its own, for what must not be imported into that of the tests."""

import json
import os
import subprocess
import sys


def run_program(program, folder):
    """Runs Python code with a folder as its argument; returns the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,  # what is imported is what these tests import, installed or not
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
