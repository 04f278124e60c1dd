"""Feeds every reader with files and texts that are nearly valid.

    KERAS_BACKEND=torch python -m benchmarks.fuzz --seconds 20

from the root of the repository. For each reader valid files are made, changed at random (see
`mutations.py`) and read, in one process, for so many seconds of the processor's time each. A crash
is any exception but the documented errors (`ValueError`, `FileNotFoundError`) whose message says
what was received, and on the command line any exit code but 0 and 2; a hang takes more than 10
seconds of the processor's time, or two minutes; a blow-up more than 1 GiB, which the operating
system is asked to refuse. Adds the rows `fuzz_crash` (tried: inputs; failed: crashes and blow-ups;
worst: MiB that the process grew by) and `fuzz_hang` (failed: hangs; worst: the longest in seconds)
to `results/reliability.csv`. `--save FOLDER` keeps what failed.
"""

import argparse
import collections
import contextlib
import hashlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from benchmarks.fuzz_readers import READERS
from benchmarks.reliability_table import write_row

HANG = 10.0
GROWTH = 2**30


class Hang(BaseException):
    """Not caught by what is fuzzed."""


class Tally(collections.Counter):
    """Inputs tried, refused, crashed and hung, and the longest time."""

    longest = 0.0


def main() -> None:
    """Parses the command line, fuzzes and writes the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="for each reader")
    parser.add_argument("--only", nargs="*", choices=sorted(READERS), help="readers to fuzz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="where to keep inputs that failed")
    parser.add_argument("--dry", action="store_true", help="write no rows")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # broken images warn; what is asked is what they raise
    signal.signal(signal.SIGALRM, _raise_hang)
    signal.signal(signal.SIGPROF, _raise_hang)
    whole, before = Tally(), _resident()
    with tempfile.TemporaryDirectory() as name:
        for reader in options.only or READERS:
            folder = Path(name) / reader
            folder.mkdir()
            read, mutate = READERS[reader](folder)
            with _limited_memory():
                tally = fuzz(reader, read, mutate, options)
            print(f"{reader}: {dict(tally)}, longest {tally.longest:.2f} s", flush=True)
            whole.update(tally)
            whole.longest = max(whole.longest, tally.longest)
        outside = [path for path in (Path(name).parent / "escaped",) if path.exists()]
    grown = (_resident() - before) / 2**20
    print(f"all: {dict(whole)}, longest {whole.longest:.2f} s, grown by {grown:.0f} MiB, "
          f"written outside: {outside}")  # fmt: skip
    failed = whole["crash"] + len(outside) + (grown * 2**20 > GROWTH)
    if not options.dry:
        backend = os.environ["KERAS_BACKEND"]
        write_row("fuzz_crash", backend, tried=whole["tried"], failed=failed, worst=grown)
        write_row(
            "fuzz_hang", backend, tried=whole["tried"], failed=whole["hang"], worst=whole.longest
        )
    sys.exit(bool(failed or whole["hang"]))


def fuzz(name: str, read: Callable, mutate: Callable[[random.Random], object], options) -> Tally:
    """Reads changed inputs for some seconds, and counts what becomes of them."""
    rng = random.Random(f"{options.seed} {name}")  # noqa: S311
    tally, shown = Tally(), set()
    end = time.process_time() + options.seconds
    while time.process_time() < end:
        given = mutate(rng)
        tally["tried"] += 1
        began = time.process_time()
        # By the processor's time: the machine may be busy with other things.
        signal.setitimer(signal.ITIMER_PROF, HANG)
        signal.setitimer(signal.ITIMER_REAL, 12 * HANG)
        try:
            read(given)
            tally["read"] += 1
        except Hang:
            tally["hang"] += 1
            _keep(options, name, given)
        except Exception as error:
            if documented(error):
                tally["refused"] += 1
            else:
                tally["crash"] += 1
                _keep(options, name, given)
                where = traceback.format_exc(limit=-4)
                if where not in shown and len(shown) < 8:
                    shown.add(where)
                    print(f"--- {name}: {repr(given)[:300]}\n{where}", file=sys.stderr)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        tally.longest = max(tally.longest, time.process_time() - began)
    return tally


def documented(error: Exception) -> bool:
    """Whether an error is one that a reader may raise."""
    return isinstance(error, FileNotFoundError) or (
        isinstance(error, ValueError) and "Received" in str(error)
    )


def _keep(options, name: str, given: object) -> None:
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
        content = given if isinstance(given, bytes) else repr(given).encode()
        path = options.save / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
        path.write_bytes(content)


def _raise_hang(number, frame) -> None:
    raise Hang


def _resident() -> int:
    """Most memory the process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def _limited_memory():
    """Lets the process grow by so much; an allocation beyond that is a `MemoryError`."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2 * GROWTH, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


if __name__ == "__main__":
    main()
