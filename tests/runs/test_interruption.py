"""Signals are noted while a block lasts, and answered as before after it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from sweet_keras.runs.interruption import noted_signals


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_noted(number):
    before = signal.getsignal(number)
    with noted_signals() as noted:
        assert noted.signal is None
        os.kill(os.getpid(), number)
        assert noted.signal == number
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("second", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_the_second_ends_the_process(second, code):
    program = (
        "import os, signal\n"
        "from sweet_keras.runs.interruption import noted_signals\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with noted_signals():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        f"    os.kill(os.getpid(), signal.{second})\n"
        "    print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (code, b"")


def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noted_signals() as noted:
            os.kill(os.getpid(), signal.SIGINT)
            assert noted.signal is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_changes_nothing():
    handlers = []

    def look():
        with noted_signals():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]
