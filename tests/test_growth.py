"""The time for one post grows with its length, not with the square of it, whatever it holds."""

import importlib.util
import sys

import pytest

from tests.conftest import ROOT

#: Ten times the text may take so many times as long: twice as long as linear, since other programs disturb.
MOST_GROWTH = 20
#: In seconds: a shorter time says nothing about growth.
SHORT = 0.015
#: A measurement that others may have disturbed is repeated.
ATTEMPTS = 3


def _load_bench():
    """Return bench/growth.py; bench/ is a folder of scripts, not a package."""
    spec = importlib.util.spec_from_file_location("growth", ROOT / "bench" / "growth.py")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
        sys.modules.pop("page", None)
    return module


growth = _load_bench()
growth.process(growth.SHAPES["one long sentence"](1000).encode())  # loads what is loaded on first use


@pytest.mark.parametrize("shape", growth.SHAPES)
def test_ten_times_the_text_does_not_take_a_hundred_times_the_time(shape):
    """A post of any shape takes time in proportion to its length, until it is published or rejected for a reason."""
    make = growth.SHAPES[shape]
    for _ in range(ATTEMPTS):
        short, _ = growth.measure(make, 4_000)
        long, result = growth.measure(make, 40_000)
        if long <= MOST_GROWTH * max(short, SHORT):
            break
    assert long <= MOST_GROWTH * max(short, SHORT), f"{short:.3f} s, then {long:.3f} s"
    assert result.startswith(("published", "rejected: "))


def test_a_large_post_is_rejected_within_a_second():
    """A megabyte that is beyond a limit is rejected before a parser sees it, in less than a second of the processor."""
    for shape in ("`'<dl><dd>'`", "attributes of one element", "formatting left open", "TOML: a key of many parts"):
        seconds, result = min(growth.measure(growth.SHAPES[shape], 1_000_000) for _ in range(ATTEMPTS))
        assert (seconds < 1, result.partition(":")[0]) == (True, "rejected"), (shape, seconds, result)
