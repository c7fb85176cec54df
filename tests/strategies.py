"""Hypothesis strategies shared by the tests: pieces of music, drawn at random, that fit a grid exactly."""

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import strategies as st

from musegen.score import MODES, Key, Metre, Note, Score, Voice

METRES = tuple(Metre.parse(text) for text in ("4/4", "3/4", "2/4", "2/2", "6/8", "9/8", "12/8", "5/4", "7/8"))
KEYS = tuple(Key(fifths, mode) for mode in MODES for fifths in range(-7, 8))
TEMPI = (120.0, 60.0, 75.0, 96.0, 100.0, 125.0, 150.0)
"""Quarters per minute that are a whole number of microseconds per quarter."""
NAMES = ("", "Soprano", "Alto", "Tenor", "Bass", "Flute", "Violin II")


@st.composite
def lines(
    draw: st.DrawFn,
    steps: int,
    grid: int = 4,
    *,
    pitches: st.SearchStrategy[int] | None = None,
    durations: Sequence[int] | None = None,
    rests: bool = True,
    fermatas: bool = True,
    empty: bool = True,
) -> tuple[Note, ...]:
    """Notes of one voice that never overlap, within `steps` steps of 1/`grid` quarter.

    Args:
        draw: given by hypothesis.
        steps: how long the line may be.
        grid: steps per quarter.
        pitches: what to draw pitches from; 0-127 when not given.
        durations: the lengths in steps to choose from; 1 to 2 quarters and a step when not given.
        rests: whether there may be silence before, between and after notes.
        fermatas: whether notes may have one.
        empty: whether there may be no note at all.
    """
    pitches = st.integers(0, 127) if pitches is None else pitches
    lengths = st.sampled_from(durations) if durations else st.integers(1, 2 * grid + 1)
    gaps = st.sampled_from((0, 0, 0, 1, 2, grid)) if rests else st.just(0)
    marks = st.sampled_from((False, False, False, True)) if fermatas else st.just(False)
    shape = st.lists(st.tuples(gaps, lengths, pitches, marks), min_size=0 if empty else 1, max_size=12)
    notes: list[Note] = []
    step = 0
    for gap, length, pitch, fermata in draw(shape):
        first = step + gap if notes or step + gap < steps else step
        last = min(first + length, steps)
        if first >= last:
            break
        notes.append(Note(Fraction(first, grid), Fraction(last - first, grid), pitch, fermata))
        step = last
    if notes and not rests and step < steps:
        notes[-1] = notes[-1]._replace(duration=Fraction(steps, grid) - notes[-1].onset)
    return tuple(notes)


@st.composite
def scores(
    draw: st.DrawFn,
    max_voices: int = 4,
    grid: int = 4,
    metres: Sequence[Metre] = METRES,
    *,
    min_voices: int = 1,
    max_bars: int = 5,
    pickups: bool = True,
    metre_changes: bool = True,
    short_bars: bool = True,
    whole_last_bar: bool = False,
    keys: Sequence[Key] = KEYS,
    key_changes: bool = True,
    tempi: Sequence[float] = TEMPI,
    tempo_changes: bool = True,
    names: Sequence[str] = NAMES,
    programs: Sequence[int | None] = (None, 0, 40, 52),
    titles: Sequence[str] = ("", "The Blackbird"),
    composers: Sequence[str] = ("", "J. S. Bach"),
    pitches: st.SearchStrategy[int] | None = None,
    durations: Sequence[int] | None = None,
    rests: bool = True,
    fermatas: bool = True,
    empty_voices: bool = True,
) -> Score:
    """Scores whose every time is a multiple of 1/`grid` quarter; notes cross bar lines freely.

    Changes are written in one way only: an entry stands where the value differs, or where a metre's bar follows a bar
    cut short. Every option is what a format may not be able to write; an empty `keys` or `tempi` leaves them out.

    Args:
        draw: given by hypothesis.
        max_voices: at most so many voices.
        grid: steps per quarter; 12 makes triplets.
        metres: to choose from; those whose bar is no whole number of steps are left out.
        min_voices: at least so many voices.
        max_bars: at most so many bars, the pickup not counted.
        pickups: whether a piece may begin before bar 1.
        metre_changes: whether the metre may change.
        short_bars: whether bars in the middle may be cut short.
        whole_last_bar: whether the piece always ends with a bar line; otherwise it may end inside a bar.
        keys: to choose from; with some, a piece may still have no key.
        key_changes: whether the key may change, at a bar line.
        tempi: to choose from; with some, a piece may still have no tempo.
        tempo_changes: whether the tempo may change, at a bar line.
        names: of voices, to choose from.
        programs: of voices, to choose from.
        titles: to choose from.
        composers: to choose from.
        pitches: see `lines`.
        durations: see `lines`.
        rests: see `lines`.
        fermatas: see `lines`.
        empty_voices: whether a voice may have no notes.
    """
    fitting = st.sampled_from([metre for metre in metres if (metre.quarters * grid).denominator == 1])
    metre = draw(fitting)
    bar = int(metre.quarters * grid)
    pickup = draw(st.sampled_from((0, draw(st.integers(1, bar - 1))))) if pickups and bar > 1 else 0
    step, starts, changes, cut = pickup, [0], [(Fraction(0), metre)], False
    count = draw(st.integers(1, max_bars))
    for number in range(count):
        before, metre = metre, draw(fitting) if metre_changes and number and draw(st.booleans()) else metre
        bar = int(metre.quarters * grid)
        if number and (cut or metre != before):
            changes.append((Fraction(step, grid), metre))
        starts.append(step)
        last = number == count - 1
        may_cut = not whole_last_bar if last else short_bars
        length = draw(st.integers(1, bar)) if may_cut and draw(st.sampled_from((False, False, True))) else bar
        step, cut = step + length, length < bar
    places = sorted(set(starts))

    def changing(values: Sequence[object], allowed: bool) -> tuple[tuple[Fraction, object], ...]:
        found: list[tuple[Fraction, object]] = []
        if values and draw(st.booleans()):
            for place in places if allowed else places[:1]:
                value = draw(st.sampled_from(values)) if not found or draw(st.booleans()) else found[-1][1]
                if not found or value != found[-1][1]:
                    found.append((Fraction(place, grid), value))
        return tuple(found)

    line = lines(step, grid, pitches=pitches, durations=durations, rests=rests, fermatas=fermatas, empty=empty_voices)
    voices = tuple(
        Voice(draw(line), draw(st.sampled_from(names)), draw(st.sampled_from(programs)))
        for _ in range(draw(st.integers(min_voices, max_voices)))
    )
    return Score(
        voices,
        metres=tuple(changes),
        pickup=Fraction(pickup, grid),
        keys=changing(keys, key_changes),  # type: ignore[arg-type]
        tempi=changing(tempi, tempo_changes),  # type: ignore[arg-type]
        title=draw(st.sampled_from(titles)),
        composer=draw(st.sampled_from(composers)),
        duration=Fraction(step, grid),
    )
