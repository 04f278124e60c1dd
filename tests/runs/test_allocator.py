"""Whether freed memory stays with the process, counted in page faults of a fresh one."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from sweet_keras.runs.allocator import keep_memory

done = keep_memory() if sys.argv[1] == "keep" else None

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        for megabytes in (1, 8, 64):
            np.empty(megabytes << 20, "uint8")[::4096] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(done, faults())
"""


def run(argument, **environment):
    line = [sys.executable, "-c", PROGRAM, argument]
    clean = {"PYTHONPATH": ":".join(sys.path), "PATH": "", **environment}
    done = subprocess.run(line, env=clean, capture_output=True, text=True, check=True)
    words = done.stdout.split()
    return words[0], int(words[1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone can be told")
def test_memory_is_kept():
    done, kept = run("keep")
    _, returned = run("default")
    assert done == "True"
    assert kept < returned / 10


def test_what_the_user_chose_stays():
    assert run("keep", MALLOC_TRIM_THRESHOLD_="100000")[0] == "False"
