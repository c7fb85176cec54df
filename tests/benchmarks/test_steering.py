"""What is measured of steering: faults are counted right, holes are what they are called, broken pieces are found."""

from dataclasses import replace

import cuts
import demands
import holes
import numpy as np
import pytest
import sections
import steering
from leading import bars_of, faults, per_bar

from musegen.checkpoints import load_checkpoint
from musegen.formats import read_bytes, write
from musegen.representation.constraints import Constraints
from musegen.representation.grid import decode, encode
from musegen.representation.roll import HOLD, Roll
from musegen.representation.template import Template
from tests.toys import ROLLS

CHORALES, TUNES = ROLLS["chorales"], ROLLS["tunes"]


def chords(*columns):
    """A roll of one quarter for each chord, written from the highest voice down."""
    symbols = np.repeat(np.array(columns, np.uint8), 4, axis=0)
    symbols[np.arange(len(symbols)) % 4 > 0] = HOLD
    return Roll(symbols)


def found(*columns):
    return {name: count for name, count in faults(chords(*columns)).items() if count}


def test_each_fault_is_counted_where_it_is_and_nowhere_else():
    assert found((72, 67, 60), (71, 67, 62)) == {}
    assert found((67, 60), (69, 62)) == {"parallel fifths": 1}
    assert found((72, 60), (74, 62)) == {"parallel octaves": 1}
    assert found((67, 60), (69, 72), (67, 71)) == {"crossings": 1}  # one that goes on is one
    assert found((67, 60), (76, 69)) == {"overlaps": 1, "parallel fifths": 1}
    assert found((67, 60), (59, 52)) == {"overlaps": 1, "parallel fifths": 1}
    assert found((67, 48), (81, 48)) == {"leaps beyond an octave": 1}
    assert found((67, 48), (79, 48)) == {}


def test_rates_are_per_bar():
    roll = chords((67, 60), (69, 62), (67, 60), (69, 62), (67, 60), (69, 62))
    assert bars_of(roll) == 1.5
    assert per_bar([roll])["parallel fifths per bar"] == pytest.approx(5 / 1.5)


def test_the_hymn_has_eight_bars_and_each_task_opens_what_it_says():
    (hymn,) = read_bytes(steering.HYMN.encode(), ".abc", "hymn").scores
    assert [bar.number for bar in hymn.bars()] == list(range(1, 9))
    melody = encode(hymn).roll
    assert len(melody.symbols) == 128
    roll = replace(melody, symbols=np.repeat(melody.symbols, 4, axis=1))
    cut = {name: make(roll).open for name, make in holes.TASKS.items()}
    assert (~cut["soprano given"]).any(axis=0).tolist() == [True, False, False, False]
    assert (~cut["bass given"]).any(axis=0).tolist() == [False, False, False, True]
    assert np.flatnonzero(cut["two bars open"].all(axis=1)).tolist() == list(range(64, 96))
    three = cut["a bar open in three voices"]
    assert three[64:80, 1:].all() and three.sum() == 48
    assert cut["the last two bars given"][:96].all() and not cut["the last two bars given"][96:].any()


def test_a_rate_comes_with_the_error_that_the_pieces_differ_by():
    assert holes.rate(np.array([2.0, 4.0]), np.array([1.0, 2.0])) == (2.0, 0.0)
    mean, error = holes.rate(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    assert mean == 2 and error == pytest.approx(np.std([1, 3], ddof=1) / np.sqrt(2))


def test_particles_are_compared_and_templates_kept(trained):
    composer = load_checkpoint(trained("lstm")).composer()
    rolls = CHORALES[:2]
    own = holes.scored(composer, rolls)
    templates = [Template.given(roll, [0]) for roll in rolls]
    line = holes.compared(composer, templates, own, 1.0, (1, 3), usual=3)
    assert line["open cells"] == sum(3 * roll.steps for roll in rolls)
    assert line["the true piece"] == pytest.approx(own.sum() / line["open cells"])
    assert {"1 particle", "3 particles", "better"} <= set(line)


def test_bach_is_like_himself_and_others_are_not():
    own = replace(chords((72, 60), (74, 62)), names=("High", "Low"))
    assert set(holes.likeness([own], [own]).values()) == {1.0}
    other = holes.likeness([own], [chords((72, 48), (74, 64))])
    assert other == {"low, pitch": 0.0, "low, pitch class": 0.5}


@pytest.mark.parametrize(
    ("name", "corpus"), [("lstm", "tunes"), ("lstm", "chorales"), ("minibach", "chorales"), ("coconet", "tunes")]
)
def test_what_is_asked_of_toys_is_kept_and_counted(trained, monkeypatch, name, corpus):
    rolls = CHORALES if corpus == "chorales" else TUNES
    fit = [replace(roll, keys=((0, steering.Key.parse("C")),)) for roll in rolls if len(roll.bar_starts()) > 2][:2]
    monkeypatch.setattr(demands, "_held_out", lambda name: lambda number: fit[number % len(fit)])
    monkeypatch.setattr(demands, "BARS", 4)
    model = load_checkpoint(trained(name, corpus))
    asked = {"leap": "9", "longest": "1/2"}
    given = tuple(model.family.given_voices)
    if given:
        cases = [("harmonize", demands.Demand(asked, 1, options=(given,)))]
    else:
        cases = [("sample", demands.Demand(asked, 1, "C", bars=2)), ("vary", demands.Demand(asked, 1, options=(0.5,)))]
    for verb, demand in cases:
        counted = demands.run(model, verb, demand)
        assert (counted.pieces, counted.broken, counted.lost) == (1, 0, 0), counted.why


@pytest.mark.parametrize("suffix", demands.SUFFIXES)
def test_a_broken_piece_and_a_lost_note_are_found_in_every_kind_of_file(tmp_path, suffix):
    own = replace(CHORALES[0], keys=((0, steering.Key.parse("C")),))
    template = Template.given(own, [0])
    path = tmp_path / f"piece{suffix}"

    def checked(roll, **asked):
        path.write_bytes(write([decode(roll)], suffix))
        return demands._checked(path, demands.Asked(1, template, Constraints.of(asked), None))

    assert checked(own, range="C1-C8") == ([], [])
    assert checked(own, range="C4-C8")[0]
    symbols = own.symbols.copy()
    onset = int(np.flatnonzero(symbols[:, 0] < 128)[1])
    symbols[onset, 0] += 1
    broken, lost = checked(own.with_symbols(symbols), range="C1-C8")
    assert not broken and "voice 1" in lost[0]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_step_is_timed_with_everything_asked(trained, monkeypatch, rows):
    monkeypatch.setattr(steering, "SLICES", 8)
    monkeypatch.setattr(steering, "BARS", 8)
    model = load_checkpoint(trained("lstm", "tunes"))
    easy = {"longest": "1/2", "leap": "12"}
    free, bound = steering.both(model, easy)
    assert free.is_blank and not bound.is_blank
    line = steering.compared(model, free, bound, rows, 1)
    assert min(line.values()) > 0


def test_a_hole_is_a_bar_below_the_soprano_and_can_be_drawn(trained):
    hole = cuts.Hole.of(CHORALES[2])
    opened = hole.template.open
    assert not opened[:, 0].any() and not opened[: hole.first].any() and not opened[hole.end :].any() and opened.any()
    same = cuts.counted(hole, CHORALES[2])
    assert same["pitch"] == 1 and set(same) >= {"parallel fifths", "crossings"}
    assert len(cuts.draw([hole], [CHORALES[2]], "toy").axes) == 2


def test_lines_that_are_not_measured_again_stay(tmp_path):
    kinds = {"one": sections.Section("One", "how", "what"), "two": sections.Section("Two", "how", "what")}
    path = tmp_path / "report"
    sections.keep({"one": [sections.Line("a", {"x": 0.5}), sections.Line("b", {"x": 1})]}, kinds, "# About", path)
    sections.keep({"two": [sections.Line("c", {"y": "z"})]}, kinds, "# About", path)
    sections.keep({"one": [sections.Line("a", {"x": 0.25, "w": 2000})]}, kinds, "# About", path)
    text = path.with_suffix(".md").read_text()
    assert text.index("## One") < text.index("| a | 0.250 | 2,000 |") < text.index("| b | 1 |") < text.index("## Two")
    assert "0.5" not in text and "| c | z |" in text


def test_models_are_those_named_or_those_there():
    assert steering.shipped(("bach-lstm", "none-such"), None) == ["bach-lstm"]
    assert steering.shipped(("bach-lstm",), ["mine"]) == ["mine"]
