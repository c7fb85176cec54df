"""What is asked of a thousand pieces, and how many of them do not keep to it."""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from checking import Question
from checking import broken as check_broken
from sections import Line

from musegen import composing, reworking
from musegen.checkpoints import Checkpoint, available, load_checkpoint
from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.evaluation.notes import first_bars
from musegen.formats import read, write
from musegen.models.base import Sampling
from musegen.representation.constraints import Constraints
from musegen.representation.grid import decode
from musegen.representation.roll import Roll
from musegen.representation.template import Template
from musegen.score import Key, Metre, Note

PARTICLES = 4
BARS = 5
"""Of the held-out pieces that are reworked, only the first so many, and a pickup."""
TOGETHER = 16
SUFFIXES = (".mid", ".abc", ".musicxml")


@dataclass(frozen=True)
class Demand:
    """What is asked, and of how many pieces.

    Attributes:
        asked: kind -> text; `{key}` stands for the piece's key, `{tonic}` for the chord on its tonic.
        pieces: how many.
        key: of new pieces.
        metre: of new pieces.
        bars: of new pieces.
        options: of the verb.
    """

    asked: dict[str, str | list[str]]
    pieces: int
    key: str = "G"
    metre: str = "4/4"
    bars: int = 8
    options: tuple[Any, ...] = ()


CHORALES: dict[str, list[Demand]] = {
    "sample": [
        Demand({"scale": "G major", "chords": "G C D G", "leap": "12", "shortest": "1/8", "longest": "1/1",
                "range": ["E2-G5", "bass:E2-C4"], "begin": "tonic", "end": "cadence"}, 30, bars=4),
        Demand({"form": "AA'BA", "longest": "1/2", "note": ["soprano@1:1=F5", "bass@2:3=rest"], "end": "tonic"},
               16, "Dm"),
        Demand({"chords": "D:2 A7/C#:1", "leap": "7", "scale": "D major", "form": "AB'AB"}, 12, "D", "3/4"),
    ],
    "harmonize": [
        Demand({"end": "cadence", "leap": "12", "longest": "1/2", "range": ["alto:F3-D5", "tenor:B2-A4", "bass:D2-E4"]},
               40, options=((0,),)),
        Demand({"scale": "{key}", "shortest": "1/8", "begin": "tonic"}, 30, options=((3,),)),
        Demand({"chords": "{tonic} N.C. % {tonic}", "leap": "9"}, 30, options=((0,),)),
    ],
    "infill": [
        Demand({"keep": "rhythm", "scale": "{key}"}, 30, options=("3-4", (0, 1, 2, 3))),
        Demand({"leap": "5", "shortest": "1/8", "note": "alto@3:1=rest"}, 30, options=("2:3-4:2", (1, 2))),
    ],
    "vary": [
        Demand({"keep": "pitches", "longest": "1/2"}, 20, options=(0.5,)),
        Demand({"scale": "{key}", "leap": "12", "range": ["F2-A5"], "end": "tonic"}, 20, options=(0.6,)),
    ],
    "continue": [
        Demand({"end": "cadence", "leap": "12", "shortest": "1/8", "longest": "1/1", "scale": "{key}"}, 22),
    ],
}  # fmt: skip
"""Of models with four voices; between them they use every kind with every verb that it suits."""

TUNES: dict[str, list[Demand]] = {
    "sample": [
        Demand({"form": "AABA", "scale": "D mixolydian", "leap": "9", "range": ["A3-B5"], "shortest": "1/16",
                "begin": "tonic", "end": "tonic"}, 30, "D mixolydian", "6/8", 8),
        Demand({"chords": "Am:2 G:1 Am:1", "longest": "1/2", "note": ["1:1=A4", "3:2.5=rest"], "end": "cadence"},
               40, "A dorian", "4/4", 8),
        Demand({"form": "AA'BA'", "chords": "G Em C D7", "shortest": "1/8", "leap": "7"}, 30, "G", "3/4", 16),
    ],
    "infill": [
        Demand({"keep": "rhythm", "scale": "{key}"}, 50, options=("3-4", (0,))),
        Demand({"leap": "7", "shortest": "1/16", "longest": "1/2", "range": ["G3-C6"]}, 50, options=("2-4", (0,))),
    ],
    "vary": [
        Demand({"keep": "pitches"}, 40, options=(0.4,)),
        Demand({"scale": "{key}", "leap": "12"}, 40, options=(0.6,)),
    ],
    "continue": [Demand({"end": "tonic", "scale": "{key}", "leap": "12"}, 60)],
}  # fmt: skip
"""Of models with one voice."""

UNDER = {"harmonize": [CHORALES["harmonize"][0], CHORALES["harmonize"][2]]}
"""Of models that must be given the melody."""


def broken(arguments: argparse.Namespace) -> Iterator[Line]:
    """Every demand of every model, and all of them together."""
    names = arguments.models or [
        name
        for name in ("bach-lstm", "celtic-lstm", "bach-vae", "bach-minibach", "bach-coconet")
        if name in available()
    ]
    total = bad = 0
    for name in names:
        model = load_checkpoint(name)
        demands = UNDER if model.family.given_voices else CHORALES if model.vocabulary.voices > 1 else TUNES
        for verb, some in demands.items():
            if arguments.verbs and verb not in arguments.verbs:
                continue
            began, found, seen = time.process_time(), Counted(), set[str]()
            for demand in some:
                seen |= set(demand.asked)
                found = found.with_(run(model, verb, demand, arguments.pieces))
            figures: dict[str, float | str] = {
                "pieces": found.pieces, "broken": found.broken, "given notes lost": found.lost,
                "refused": found.refused, "given up": found.stuck,
                "asked": ", ".join(sorted(seen)), "CPU seconds": time.process_time() - began,
            }  # fmt: skip
            total, bad = total + found.pieces, bad + found.broken
            for why in found.why[:3]:
                print(f"   {why}", flush=True)
            again = f"python benchmarks/steering.py broken --models {name}"
            yield Line(f"{model.name}, {verb}", figures, again)
    print(f"broken: {bad} of {total} pieces", flush=True)


@dataclass(frozen=True)
class Counted:
    """What became of some pieces.

    Attributes:
        pieces: written and read back.
        broken: that do not keep to what was asked.
        lost: of these and others, in which a given note did not come back.
        refused: demands that clashed, found before a note was drawn.
        stuck: pieces that no particle came through, which is an error too.
        why: what was found, in words.
    """

    pieces: int = 0
    broken: int = 0
    lost: int = 0
    refused: int = 0
    stuck: int = 0
    why: tuple[str, ...] = ()

    def with_(self, other: Counted) -> Counted:
        """Both together."""
        return Counted(*(getattr(self, name) + getattr(other, name) for name in Counted.__dataclass_fields__))


def run(model: Checkpoint, verb: str, demand: Demand, most: int | None = None) -> Counted:
    """Compose pieces that keep to a demand, write them, and look at them.

    Args:
        model: any that can.
        verb: as on the command line.
        demand: what is asked.
        most: pieces, where fewer are wanted.
    """
    wanted, found = min(demand.pieces, most or demand.pieces), Counted()
    how = Sampling(1, model.family.temperature, particles=PARTICLES)
    numbers = itertools.count(1)
    while found.pieces < wanted:
        asked: list[Asked] = []
        refused, why = 0, ""
        while len(asked) < min(TOGETHER, wanted - found.pieces):
            if refused > 3 * wanted:
                raise MusegenError(f"{verb} with {demand.asked} is refused again and again: {why}")
            try:
                asked.append(_ask(model, verb, demand, how, next(numbers)))
            except MusegenError as error:
                refused, why = refused + 1, str(error)
        found = found.with_(replace(_composed(model, how, asked), refused=refused))
    return found


@dataclass(frozen=True)
class Asked:
    """A piece to be.

    Attributes:
        number: of the piece.
        template: what is fixed and asked.
        constraints: the same for the checker.
        original: what it was made of, if anything.
    """

    number: int
    template: Template
    constraints: Constraints
    original: Roll | None


def _ask(model: Checkpoint, verb: str, demand: Demand, how: Sampling, number: int) -> Asked:
    """Pose a verb's question.

    Raises:
        MusegenError: it clashes with the piece.
    """
    if verb == "sample":
        constraints = Constraints.of(demand.asked)
        key, metre = Key.parse(demand.key), Metre.parse(demand.metre)
        wishes = composing.Wishes(bars=demand.bars, key=key, metre=metre)
        template = composing.template_for(model, how, number, wishes)
        return Asked(number, _narrowed(model, template, constraints), constraints, None)
    roll = _held_out(model.card["corpus"]["name"])(number)
    key = roll.keys[0][1]
    tonic = key.tonic_name + ("m" if key.mode in ("minor", "dorian", "phrygian") else "")
    constraints = Constraints.of(
        {
            kind: [_told(each, key, tonic) for each in value] if isinstance(value, list) else _told(value, key, tonic)
            for kind, value in demand.asked.items()
        }
    )
    if verb == "harmonize":
        given: tuple[int, ...] = demand.options[0]
        chosen = replace(decode(roll), voices=tuple(decode(roll).voices[voice] for voice in given))
        template, _ = reworking.harmonizing(model, chosen, given, "")
        return Asked(number, composing.narrow(model, template, constraints), constraints, None)
    if verb == "infill":
        template = reworking.infilling(roll, *demand.options)
    elif verb == "vary":
        template = reworking.varying(roll, demand.options[0], how, number, range(roll.voices))
        if not template.open.any():
            raise MusegenError("nothing was opened")
    else:
        template = reworking.continuing(model, first_bars(roll, BARS // 2), how, number, BARS)
    original = roll if verb in ("infill", "vary") else None
    return Asked(number, composing.narrow(model, template, constraints, original), constraints, original)


def _narrowed(model: Checkpoint, template: Template, constraints: Constraints) -> Template:
    """A new piece of which something is asked; of pieces with the same frame it is worked out once."""
    roll = template.roll
    frame = model.name, constraints, roll.metres, roll.keys, roll.pickup, roll.tempi, roll.steps
    if frame not in _NARROWED:
        _NARROWED[frame] = composing.narrow(model, template, constraints)
    return _NARROWED[frame]


_NARROWED: dict[object, Template] = {}


def _told(text: str, key: Key, tonic: str) -> str:
    return text.format(key=key, tonic=tonic)


@cache
def _held_out(name: str) -> Callable[[int], Roll]:
    """The beginnings of test pieces in one metre and key, over and over, by number."""
    corpus = open_corpus(name)
    rolls = (corpus.roll(index) for index in corpus.split("test"))
    short = [first_bars(roll, BARS) for roll in rolls if roll.keys]
    fit = [roll for roll in short if len(roll.metres) == len(roll.keys) == 1 and len(roll.bar_starts()) > BARS]
    return lambda number: fit[number % len(fit)]


def _composed(model: Checkpoint, how: Sampling, asked: Sequence[Asked]) -> Counted:
    """Compose, all at once, or one by one where that fails; write, read, check."""
    wishes = composing.Wishes()
    try:
        pieces = list(composing.compose(model, how, ((each.number, each.template) for each in asked), wishes))
    except MusegenError as error:
        if len(asked) > 1:
            found = Counted()
            for each in asked:
                found = found.with_(_composed(model, how, [each]))
            return found
        return Counted(stuck=1, why=(f"piece {asked[0].number}: {error}",))
    found = Counted()
    with tempfile.TemporaryDirectory() as folder:
        for each, piece in zip(asked, pieces, strict=True):
            path = Path(folder) / f"{each.number}{SUFFIXES[each.number % len(SUFFIXES)]}"
            path.write_bytes(write([piece.score], path.suffix))
            kept, lost = _checked(path, each)
            why = tuple(f"piece {each.number}, {path.suffix}: {line}" for line in (*kept, *lost))
            found = found.with_(Counted(1, bool(kept or lost), bool(lost), why=why))
    return found


def _checked(path: Path, each: Asked) -> tuple[list[str], list[str]]:
    """What a file breaks, and which given notes it has lost."""
    (score,) = read(path).scores
    roll, grid = each.template.roll, each.template.roll.steps_per_quarter

    def is_open(voice: int, when: Fraction) -> bool:
        step = int(when * grid)
        return step < roll.steps and bool(each.template.open[step, voice])

    score = replace(score, duration=Fraction(roll.steps, grid))
    original = decode(each.original) if each.original else None
    names = roll.names or tuple(voice.name for voice in score.voices)
    found = check_broken(each.constraints, Question(score, roll.keys[0][1], names, is_open, original))
    given = decode(roll)  # open cells are rests
    lost = [
        f"a given note of voice {number + 1} is missing at {note.onset}"
        for number, voice in enumerate(given.voices)
        for note in voice.notes
        if _plain(note) not in {_plain(other) for other in score.voices[number].notes}
    ]
    return found, lost


def _plain(note: Note) -> tuple[Fraction, Fraction, int]:
    return note.onset, note.duration, note.pitch
