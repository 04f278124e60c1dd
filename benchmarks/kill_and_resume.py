"""Kills `sweet pretrain` and `sweet finetune` with SIGKILL at random moments, and resumes them.

    KERAS_BACKEND=torch python -m benchmarks.kill_and_resume --kills 40

from the root of the repository. A run is killed and resumed until it is done, then the next one
begins, until there were so many kills. After each kill every checkpoint that lies in the folder is
read; at the end of each run its last checkpoint (weights, optimizer, random generators), its log
and its template are compared with those of a run that nobody interrupted, bit for bit. Tiny
networks, a checkpoint after every second step: some of the kills fall into writing one. Adds the
rows `kill_resume` (tried: kills; failed: kills of runs that ended differently; worst: largest
difference of a number) and `unreadable_checkpoint` (tried: checkpoints read after a kill; failed:
unreadable; worst: always 0 or 1) to `results/reliability.csv`.

Each try is a process of its own, forked from one that has imported the framework and done nothing
with it: importing takes longer than all the rest. The report is left out, for the same reason.
"""

import argparse
import contextlib
import csv
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open

from benchmarks.reliability_table import write_row

_TINY = {
    "batch-size": "8",
    "epochs": "4",
    "seed": "3",
    "checkpoint-steps": "2",
    "keep": "3",
}
_PRETRAIN = {
    **_TINY,
    "image-size": "8",
    "channels": "1",
    "size": "L2H2",
    "head-dim": "8",
    "patch-size": "4",
    "mask-ratio": "0.5",
    "decoder": "L1H1",
}
_FINETUNE = {**_TINY, "size": "L1H2", "dropout": "0.2", "val-fraction": "0.2"}
_IMAGES = 160  # 20 steps an epoch
_EARLY = 0.1  # share of the kills that come at the start


def main() -> None:
    """Parses the command line, kills, compares and writes the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=1e9, help="no kills after so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="write no rows")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311
    backend = os.environ["KERAS_BACKEND"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Each process would compile the same step for longer than it trains.
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder / "compiled"))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        prepare()
        data = write_data(folder / "data.npz")
        lines = {"pretrain": pretrain_line(data, folder / "whole-pretrain")}
        train(lines["pretrain"])
        template = folder / "whole-pretrain" / "template.sweet"
        lines["finetune"] = finetune_line(data, template, folder / "whole-finetune")
        train(lines["finetune"])
        kills = read = unreadable = saving = different = runs = 0
        worst = 0.0
        end = time.monotonic() + 60 * options.minutes
        while kills < options.kills and time.monotonic() < end:
            command = ("pretrain", "finetune")[runs % 2]
            runs += 1
            out = folder / f"run-{runs}"
            line = [*lines[command][:-1], str(out)]
            before = kills
            while not (out / "results.json").exists():
                resume = ["--resume"] if (out / "config.yaml").exists() else []
                more = kills < options.kills and time.monotonic() < end
                if not train([*line, *resume], rng if more else None):
                    continue
                kills += 1
                print(f"killed {kills}", file=sys.stderr, flush=True)
                saving += bool([*out.glob("checkpoint/.step-*")])
                for checkpoint in out.glob("checkpoint/step-*"):
                    read += 1
                    unreadable += not readable(checkpoint)
            distance = compare(folder / f"whole-{command}", out)
            worst = max(worst, distance)
            different += (kills - before) * (distance > 0)
            print(f"{command}: {kills} kills, difference {distance:g}", flush=True)
    print(f"{runs} runs, {kills} kills, {saving} of them while a checkpoint was written; {read} "
          f"checkpoints read, {unreadable} unreadable; largest difference {worst:g}")  # fmt: skip
    if not options.dry:
        write_row("kill_resume", backend, tried=kills, failed=different, worst=worst)
        write_row(
            "unreadable_checkpoint",
            backend,
            tried=read,
            failed=unreadable,
            worst=float(unreadable > 0),
        )
    sys.exit(bool(different or unreadable))


def prepare() -> None:
    """Imports everything, and touches no device."""
    import grain  # noqa: F401
    import tensorboardX  # noqa: F401

    from sweet_keras import backends

    backends.current()


def write_data(path: Path) -> str:
    """Writes noisy images of two classes."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", _IMAGES), ("test", 16)):
        labels = np.arange(count) % 2
        images = rng.integers(0, 100, (count, 8, 8, 1)) + 150 * labels[:, None, None, None]
        arrays |= {f"x_{split}": images.astype("uint8"), f"y_{split}": labels}
    np.savez(path, **arrays)
    return str(path)


def pretrain_line(data: str, out: Path) -> list[str]:
    """The command line of a pre-training."""
    options = [text for name, value in _PRETRAIN.items() for text in (f"--{name}", value)]
    return ["pretrain", "--data", data, *options, "--out", str(out)]


def finetune_line(data: str, template: Path, out: Path) -> list[str]:
    """The command line of a fine-tuning."""
    options = [text for name, value in _FINETUNE.items() for text in (f"--{name}", value)]
    return ["finetune", str(template), "--data", data, *options, "--out", str(out)]


def train(line: list[str], kill: random.Random | None = None) -> bool:
    """Runs one command line in a process; kills it if it gets so far.

    Args:
        line: The command line.
        kill: Chooses the moment; without it the process is left alone.

    Returns:
        Whether it was killed.

    Raises:
        RuntimeError: If it failed by itself.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        os._exit(child(line, writing))
    os.close(writing)
    if kill is not None:
        # By steps, not by the clock: on a busy machine half a second may be no step at all.
        steps = 0 if kill.random() < _EARLY else kill.randint(1, 15)
        while steps > 0 and (done := len(os.read(reading, steps))):
            steps -= done
        time.sleep(kill.uniform(0, 0.05))
        # Does nothing to a process that has just ended: it is not waited for yet.
        os.kill(process, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"sweet {' '.join(line)} ended with {os.WEXITSTATUS(status)}")
    return False


def child(line: list[str], writing: int) -> int:
    """Carries out a command line; writes a byte when a step is done, before it is saved."""
    from sweet_keras import backends, report
    from sweet_keras.cli.app import run
    from sweet_keras.runs.resumable_steps import ResumableSteps

    # The report is written when the run is done, and drawing takes longer than training.
    report.write_report = lambda folder: folder

    backends.current().device.set_determinism(0)
    ends = ResumableSteps.on_train_batch_end

    def tell(self, batch, logs=None):
        with contextlib.suppress(BrokenPipeError):  # nobody waits for a run that is not killed
            os.write(writing, b"x")
        ends(self, batch, logs)

    ResumableSteps.on_train_batch_end = tell
    with open(os.devnull, "w") as nothing:
        sys.stdout = nothing
        return run(line)


def readable(path: Path) -> bool:
    """Whether a checkpoint can be read."""
    from sweet_keras.runs.checkpoint import Unreadable, read_checkpoint

    try:
        read_checkpoint(path)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return False
    return True


def compare(whole: Path, run: Path) -> float:
    """Largest difference of a number between two finished runs; infinity if they have others."""
    worst = 0.0
    for name in ("checkpoint/step-*", "template.sweet"):
        one, other = (sorted(folder.glob(name))[-1:] for folder in (whole, run))
        if [path.name for path in one] != [path.name for path in other]:
            return float("inf")
        for a, b in zip(one, other, strict=True):
            worst = max(worst, difference(arrays_of(a), arrays_of(b)))
    one, other = (rows_of(folder / "log.csv") for folder in (whole, run))
    return max(worst, difference(one, other))


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file."""
    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def rows_of(path: Path) -> dict[str, np.ndarray]:
    """The columns of a log, without the seconds."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "seconds"]
    return {name: np.array([float(row[name]) for row in rows]) for name in names}


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Largest difference between arrays of the same names."""
    if one.keys() != other.keys():
        return float("inf")
    worst = 0.0
    for name, array in one.items():
        if array.shape != other[name].shape:
            return float("inf")
        if not np.array_equal(array, other[name], equal_nan=True):
            gap = np.abs(array.astype("float64") - other[name].astype("float64"))
            worst = max(worst, float(np.nan_to_num(gap, nan=np.inf).max()))
    return worst


if __name__ == "__main__":
    main()
