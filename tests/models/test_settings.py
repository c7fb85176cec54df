from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from musegen.errors import MusegenError
from musegen.models import FAMILIES, family
from musegen.models.base import transpositions
from tests.toys import ROLLS, tiny_vocabulary


@pytest.mark.parametrize("name", FAMILIES)
def test_settings_survive_text_and_plain_data(name):
    kind = family(name).settings
    defaults = asdict(kind())
    assert kind.of({each: str(value) for each, value in defaults.items()}) == kind()
    assert kind.of(defaults) == kind()
    assert {type(value) for value in defaults.values()} <= {int, float}
    described = "".join(each.__doc__ or "" for each in kind.__mro__)
    assert [field.name for field in fields(kind) if f"    {field.name}: " not in described] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, r"there is no setting 'epoch'.*epochs"),
        ({"epochs": "many"}, r"epochs = 'many' is not a whole number"),
        ({"epochs": "2.5"}, r"epochs = '2.5' is not a whole number"),
        ({"learning_rate": "fast"}, r"learning_rate = 'fast' is not a number"),
        ({"learning_rate": "nan"}, r"learning_rate = nan is out of range"),
        ({"learning_rate": "inf"}, r"learning_rate = inf is out of range"),
        ({"learning_rate": -1}, r"learning_rate = -1 is out of range"),
        ({"learning_rate": 0}, r"learning_rate must be above 0"),
        ({"batch": 0}, r"batch must be above 0"),
        ({"averaging": 1}, r"averaging must be below 1"),
        ({"dropout": 1}, r"dropout must be below 1"),
    ],
)
@pytest.mark.parametrize("name", FAMILIES)
def test_wrong_settings_are_named(name, values, message):
    with pytest.raises(MusegenError, match=message):
        family(name).settings.of(values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("coconet", {"layers": 0}),
        ("coconet", {"passage": 0}),
        ("lstm", {"layers": 0}),
        ("lstm", {"heads": 0}),
        ("lstm", {"width": 0}),
        ("vae", {"latent": 0}),
        ("vae", {"encoder": 0}),
        ("vae", {"forget": 1}),
        ("feedforward", {"window": 0}),
        ("feedforward", {"summary": 0}),
        ("minibach", {"window": 0}),
        ("minibach", {"embedding": 0}),
    ],
)
def test_what_a_family_cannot_be_built_with_is_named(name, values):
    with pytest.raises(MusegenError, match=next(iter(values))):
        family(name).settings.of(values)


def test_an_unknown_family_is_named_and_the_nearest_suggested():
    with pytest.raises(MusegenError, match=r"no model family is called 'lsmt'. Did you mean lstm\?"):
        family("lsmt")
    with pytest.raises(MusegenError, match=r"Choose from: feedforward, minibach, coconet, lstm, vae"):
        family("xyz")


def test_minibach_wants_voices_to_add():
    kind = family("minibach")
    with pytest.raises(MusegenError, match=r"only melodies.*choose lstm"):
        kind.check(tiny_vocabulary((60, 70)), kind.settings())
    kind.check(tiny_vocabulary((60, 70), (40, 50)), kind.settings())


@pytest.mark.parametrize(("low", "high", "most", "expected"), [
    (60, 72, 12, range(-2, 4)),  # within 58 to 75
    (60, 72, 1, range(-1, 2)),
    (58, 75, 12, range(0, 1)),
    (60, 72, 0, range(0, 1)),
])  # fmt: skip
def test_training_music_is_moved_within_the_ranges(low, high, most, expected):
    roll = ROLLS["tunes"][0]
    symbols = roll.symbols.copy()
    symbols[:] = 129
    symbols[0], symbols[1] = low, high
    settings = family("lstm").settings.of({"transpose": most})
    words = tiny_vocabulary((58, 75))
    assert transpositions(roll.with_symbols(symbols), words, settings) == expected


@pytest.mark.parametrize(("low", "high", "most"), [(54, 60, 0), (54, 79, 12), (76, 79, 0), (76, 79, 2), (54, 60, 2)])
def test_music_beyond_the_ranges_still_has_a_place_to_be(low, high, most):
    """`--from` may bring music that the first corpus did not have: the vocabulary has a margin for it."""
    roll = ROLLS["tunes"][0]
    symbols = roll.symbols.copy()
    symbols[:] = 129
    symbols[0], symbols[1] = low, high
    words = tiny_vocabulary((58, 75))
    shifts = transpositions(roll.with_symbols(symbols), words, family("lstm").settings.of({"transpose": most}))
    assert len(shifts) > 0
    for shift in shifts:
        assert words.low <= low + shift and high + shift < words.low + words.pitches
