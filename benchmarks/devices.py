"""How far two devices are from one: losses and weights of pre-training, adapt and fine-tuning.

    KERAS_BACKEND=torch python benchmarks/devices.py

from the root of the repository, once for each backend. Runs the phases of
`tests/distribution/phases.py` (random masks, sub-networks, stochastic depth, uneven last batches)
on one device, on two virtual ones of this machine, and in two processes on loopback, each in a
process of its own, prints the largest difference of each phase, and puts the row `devices_equal` of
the backend into `results/reliability.csv`: a phase has failed if it differs by 1e-5 or more.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from distribution.start_phases import largest_difference, run_phases  # noqa: E402

from benchmarks.reliability_table import write_row  # noqa: E402

PHASES = ("pretrain", "adapt", "finetune")
EQUAL = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--phases", nargs="+", default=PHASES, choices=PHASES)
    phases = parser.parse_args().phases
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    differences = {}
    with tempfile.TemporaryDirectory() as folder:
        one = run_phases(folder, 1, *phases, backend=backend)
        for processes in (2,) if backend == "torch" else (1, 2):
            two = run_phases(folder, 2, *phases, backend=backend, processes=processes)
            for phase in phases:
                found = largest_difference(*(_of(arrays, phase) for arrays in (one, two)))
                differences[phase, processes] = found
                print(f"{backend} {phase}, 2 devices in {processes} process(es): {found:.2e}")
    failed = sum(not found < EQUAL for found in differences.values())
    worst = max(differences.values())
    write_row("devices_equal", backend, tried=len(differences), failed=failed, worst=worst)


def _of(arrays: dict, phase: str) -> dict:
    return {name: array for name, array in arrays.items() if name.startswith(f"{phase}/")}


if __name__ == "__main__":
    main()
