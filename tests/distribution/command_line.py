"""`sweet` in a process that trains on several devices.

    python command_line.py STEP ARGUMENTS …

After that step of its training, counted from one, SIGTERM comes to the last process; 0 for never.
"""

import os
import signal
import sys

from distribution.phases import virtual_devices


def main(step, *arguments):
    virtual_devices()
    if os.environ["KERAS_BACKEND"] == "torch":
        import torch

        torch.set_num_threads(1)
    from sweet_keras.cli.app import run
    from sweet_keras.runs.resumable_steps import ResumableSteps
    from sweet_keras.runs.skipped_steps import SkippedSteps

    SkippedSteps.EVERY = 2
    if os.environ.get("RANK", "0") == str(int(os.environ.get("WORLD_SIZE", "1")) - 1):
        done, ended = 0, ResumableSteps.on_train_batch_end

        def on_train_batch_end(steps, batch, logs=None):
            nonlocal done
            done += 1
            if done == int(step):
                os.kill(os.getpid(), signal.SIGTERM)
            ended(steps, batch, logs)

        ResumableSteps.on_train_batch_end = on_train_batch_end
    return run(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
