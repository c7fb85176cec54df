from __future__ import annotations

import numpy as np
import pytest

from musegen.representation.attributes import ATTRIBUTES, attributes, major_third
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Key


def test_attributes_by_hand():
    roll = Roll(np.array([[60, 48], [HOLD, 50], [67, REST], [65, 43]], np.uint8), 2)
    assert attributes(roll) == {
        "pitch": pytest.approx((60 + 67 + 65 + 48 + 50 + 43) / 6),
        "range": pytest.approx((7 + 7) / 2),
        "note length": pytest.approx((2 + 1 + 1 + 1 + 1 + 1) / 6 / 2),
        "note density": pytest.approx(6 / 2 / 2),  # in two quarters, two voices
        "leap": pytest.approx((7 + 2 + 2 + 7) / 4),
    }


def test_length_and_density_are_not_the_same_thing_where_there_are_rests():
    def both(*symbols):
        roll = Roll(np.array(symbols, np.uint8)[:, None], 1)
        return ATTRIBUTES["note length"](roll), ATTRIBUTES["note density"](roll)

    assert both(60, HOLD, 62, HOLD) == (2, 0.5)
    assert both(60, REST, 62, REST) == (1, 0.5)


@pytest.mark.parametrize("steps", [0, 4])
def test_silence_has_attributes_too(steps):
    roll = Roll(np.full((steps, 2), REST, np.uint8), 2)
    assert np.isfinite(list(attributes(roll).values())).all()


def test_the_third_over_the_tonic():
    assert all(major_third(Key(0, mode)) for mode in ("major", "lydian", "mixolydian"))
    assert not any(major_third(Key(0, mode)) for mode in ("minor", "dorian", "phrygian", "locrian"))
