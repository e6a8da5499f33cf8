"""What long work says while it works."""

import io
import logging
import sys

import pytest

from mps_study.common.progress import log_above_bars, progress_bar, with_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """tqdm's clock, which only moves when it is told to."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def ticking(clock, seconds, items):
    for item in items:
        yield item
        clock[0] += seconds


def test_a_terminal_gets_a_bar_with_rate_and_time_left(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(with_progress(ticking(clock, 2, range(5)), 5, "reading")) == [0, 1, 2, 3, 4]
    shown = sys.stderr.getvalue().split("\r")[-1]
    assert "reading: 100%" in shown
    assert "5/5" in shown and "2.00 s/images" in shown


def test_without_one_there_is_a_line_of_log_every_minute(monkeypatch, clock, caplog):
    caplog.set_level(logging.INFO, "mps_study")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    list(with_progress(ticking(clock, 10, range(31)), 31, "searching", "model"))
    assert len(caplog.messages) == 4
    assert caplog.messages[0].startswith("searching: 7 of 31 models, ")
    assert caplog.messages[0].endswith(", 8.57 s/models, 03:25 left")
    assert not sys.stderr.getvalue().strip()


def test_short_work_says_nothing_without_a_terminal(monkeypatch, clock, caplog):
    caplog.set_level(logging.INFO, "mps_study")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    list(with_progress(ticking(clock, 1, range(50)), 50, "comparing"))
    assert not caplog.messages
    assert not sys.stderr.getvalue().strip()


def test_a_line_of_log_does_not_run_into_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(handler)
    try:
        log_above_bars()
        with progress_bar(3, "working") as bar:
            bar.update()
            bar.refresh()
            logging.getLogger("test_progress").warning("a line")
    finally:
        logging.getLogger().removeHandler(handler)
    assert "a line" in [line.split("\r")[-1] for line in sys.stderr.getvalue().split("\n")]
