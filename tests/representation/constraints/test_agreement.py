"""What a template is narrowed to, and what the independent checker of the benchmarks finds in the notes, agree."""

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.representation.constraints import KINDS, Constraints, check
from musegen.representation.grid import decode
from musegen.representation.roll import HOLD, REST
from musegen.representation.template import Template, violations
from musegen.representation.ways import Cells, Ways
from musegen.score import Key, Metre

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

from checking import Question, broken

NAMES = ("Soprano", "Alto", "Tenor", "Bass")
LOW, PITCHES = 57, 12
TEXTS = {
    "scale": ["C", "A minor pentatonic", "D dorian", "C D E F# G A B", "A harmonic minor"],
    "range": ["C4-G4", "soprano:D4-G#4", "2:A3-F4", "A3-F#4"],
    "note": ["1@1:1=C4", "1@2:1=rest", "1@2:1.5=E4", "2@1:1=A3", "1@2:2=D4"],
    "chords": ["C G/B", "Am", "F % N.C.", "C:1 G7:1", "Dm:1.5 E/G#:2", "C:1 N.C.:1 F:1 -:1"],
    "leap": ["0", "2", "5", "7"],
    "shortest": ["1/16", "1/8", "1/8."],
    "longest": ["1/8", "1/4", "1/2"],
    "begin": ["tonic"],
    "end": ["tonic", "cadence"],
    "form": ["AA", "ABA", "AA'", "A'A", "AABA", "A'BAB'"],
    "keep": ["rhythm", "pitches"],
}


def filled(rng, template, loose):
    """Some notes in the open cells, none of them held over silence or across the edge of a hole."""
    symbols = template.roll.symbols.copy()
    for voice in range(template.roll.voices):
        sounds, was_open, last = False, True, 60
        for step in range(template.roll.steps):
            is_open = template.open[step, voice]
            if is_open:
                may_hold = sounds and was_open
                draw = rng.random()
                if may_hold and draw < 0.5:
                    symbols[step, voice] = HOLD
                elif draw < 0.9:
                    symbols[step, voice] = last if loose and rng.random() < 0.5 else rng.integers(LOW, LOW + PITCHES)
                else:
                    symbols[step, voice] = REST
            symbol = symbols[step, voice]
            last = int(symbol) if symbol < REST else last
            sounds, was_open = symbol < REST or (symbol == HOLD and sounds), is_open
    return template.roll.with_symbols(symbols)


def walked(rng, template):
    """Lines drawn step by step among all that are left, without any model."""
    symbols = template.roll.symbols.copy()
    kept = [*range(LOW, LOW + PITCHES), REST, HOLD]
    for voice in range(template.roll.voices):
        way, state = Ways(Cells.of(template, voice, LOW, PITCHES)), 0
        for step in range(template.roll.steps):
            onward = way.steps[way.cells.new[step], state]
            may = np.flatnonzero(way.cells.classes[step] & way.after[step, onward])
            chosen = rng.choice(may)
            state = onward[chosen]
            symbols[step, voice] = kept[chosen]
    return template.roll.with_symbols(symbols)


@st.composite
def questions(draw, kinds):
    """A template, the piece its holes were cut into, constraints, and a source of randomness."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    metre = draw(st.sampled_from([Metre(2, 4), Metre(3, 8), Metre(6, 8)]))
    bars = draw(st.sampled_from([2, 3, 4, 8]))
    voices = draw(st.integers(1, 3))
    blank = Template.blank(
        bars,
        voices=voices,
        metre=metre,
        pickup=draw(st.sampled_from([0, 0, 2])),
        key=Key.parse(draw(st.sampled_from(["C", "Am", "D dorian", "G mixolydian"]))),
        names=NAMES[:voices],
    )
    if blank.roll.pickup and draw(st.booleans()):
        roll = blank.roll.until(blank.roll.steps - blank.roll.pickup)
        blank = Template(roll, np.ones(roll.symbols.shape, bool))
    original = filled(rng, blank, loose=True)
    template = blank
    if draw(st.booleans()):
        share = draw(st.sampled_from([0.3, 0.6, 0.95]))
        cut = np.repeat(rng.random((-(-blank.roll.steps // 4), voices)) < share, 4, axis=0)[: blank.roll.steps]
        cut |= rng.random(cut.shape) < 0.1
        try:
            template = Template.hole(original, cut)
        except MusegenError:
            assume(False)
    asked = {}
    for kind in draw(st.sets(st.sampled_from(kinds), min_size=1, max_size=3)):
        texts = draw(st.lists(st.sampled_from(TEXTS[kind]), min_size=1, max_size=2))
        asked[kind] = texts if kind in ("range", "note") else texts[0]
    constraints = Constraints.of(asked)
    question = Question(
        decode(original),
        key=blank.roll.keys[0][1],
        names=NAMES[:voices],
        is_open=lambda voice, time: bool(template.open[int(time * 4), voice]),
        original=decode(original),
    )
    return template, original, constraints, rng, question


def narrowed(template, original, constraints):
    """None where it cannot be."""
    try:
        return constraints.apply(template, NAMES, original)
    except MusegenError:
        return None


def agree(template, constraints, question, roll, after):
    """Fail unless both say the same of a roll."""
    found = broken(constraints, replace(question, score=decode(roll)))
    assert violations(template, roll) == []
    said = violations(after, roll)
    assert bool(said) == bool(found), (constraints.describe(), said, found)
    return bool(said)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_judged_as_the_checker_judges_it(kind):
    outcomes = set()

    @settings(max_examples=12, deadline=None)
    @given(questions([kind]))
    def judge(question):
        template, original, constraints, rng, facts = question
        after = narrowed(template, original, constraints)
        assume(after is not None)
        for roll in (filled(rng, template, loose=False), filled(rng, template, loose=True)):
            outcomes.add(agree(template, constraints, facts, roll, after))
        if not template.open.all():
            outcomes.add(agree(template, constraints, facts, original, after))

    judge()
    assert True in outcomes


@settings(max_examples=20, deadline=None)
@given(questions([kind for kind in KINDS if kind != "form"]))
def test_lines_that_keep_to_the_ways_left_break_nothing(question):
    template, original, constraints, rng, facts = question
    try:
        after = check(template, constraints, NAMES, original, low=LOW, pitches=PITCHES)
    except MusegenError:
        assume(False)
    for _ in range(2):
        roll = walked(rng, after)
        assert violations(after, roll) == []
        assert broken(constraints, replace(facts, score=decode(roll))) == []


def test_the_checker_counts_what_is_broken():
    template = Template.blank(2, key=Key.parse("C"))
    symbols = np.full((32, 1), HOLD, np.uint8)
    symbols[[0, 16], 0] = 61, 74
    score = decode(template.roll.with_symbols(symbols))
    asked = Constraints.of({"scale": "C", "leap": 12, "longest": "1/2", "note": ["2:1=D5", "1:1=rest"], "end": "tonic"})
    assert broken(asked, Question(score, Key.parse("C"))) == [
        "--scale C: 61 in voice 1 at 0",
        "--note 1:1=rest: voice 1 has 61 at 0",
        "--leap 12: 61 to 74 in voice 1 at 4",
        "--longest 1/2: 4 quarters in voice 1 at 0",
        "--longest 1/2: 4 quarters in voice 1 at 4",
        "--end tonic: voice 1 ends on 74",
    ]
    assert score.duration == Fraction(8)
