"""Ctrl-C inside code that catches everything."""

import os
import signal
import threading

import pytest

from mps_study.common.interrupts import interrupts_kept


@pytest.fixture(autouse=True)
def pythons_own_handler():
    """A process that a shell started in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_that_is_swallowed_is_raised_all_the_same():
    went_on = False
    with pytest.raises(KeyboardInterrupt), interrupts_kept():
        try:
            ctrl_c()
        except BaseException:
            went_on = True
    assert went_on


def test_so_is_one_that_became_another_error():
    with pytest.raises(KeyboardInterrupt), interrupts_kept():
        try:
            ctrl_c()
        except KeyboardInterrupt as error:
            raise ValueError("no schema") from error


def test_other_errors_and_the_handler_stay_as_they_were():
    with pytest.raises(ValueError, match="of its own"), interrupts_kept():
        raise ValueError("of its own")
    with interrupts_kept():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_on_another_thread_and_beside_another_handler_nothing_is_changed():
    seen = []

    def enter():
        with interrupts_kept():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    before = signal.signal(signal.SIGINT, lambda *_: seen.append("theirs"))
    try:
        with interrupts_kept():
            ctrl_c()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.default_int_handler, "theirs"]
