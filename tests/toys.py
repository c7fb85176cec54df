"""Toy music and toy models: a dozen small pieces of our own in each corpus, and networks of a few units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from musegen.corpora import open_corpus
from musegen.corpora.encoded import Writer, about
from musegen.models import FAMILIES, family
from musegen.models.slice_family import SliceFamily
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Key, Metre
from musegen.training.run import Budget, Run, vocabulary_of

SPLITS = ("train",) * 8 + ("validation",) * 2 + ("test",) * 2
SATB = ("Soprano", "Alto", "Tenor", "Bass")
SETTINGS = {
    "feedforward": {"width": 16, "heads": 16, "window": 3, "summary": 8, "hidden": 16, "batch": 3},
    "minibach": {"window": 4, "hidden": 16, "embedding": 8, "batch": 16},
    "coconet": {"width": 24, "layers": 3, "heads": 24, "passage": 8, "batch": 3, "sweeps": 3},
    "lstm": {"width": 16, "heads": 16, "hidden": 16, "batch": 3},
    "vae": {"width": 16, "heads": 16, "hidden": 16, "encoder": 8, "batch": 3},
}
"""A few units each; `SETTINGS[name]` of a family without an entry here fails, so that a new one is not forgotten."""
CASES = [
    (name, corpus)
    for name in FAMILIES
    for corpus in ("chorales", "tunes")
    if corpus == "chorales" or not family(name).given_voices
]
"""Every family with each corpus that fits it."""
LEFT_TO_RIGHT = [name for name in FAMILIES if isinstance(family(name), SliceFamily)]


def line(generator: np.random.Generator, steps: int, pitches: Sequence[int], durations: Sequence[int]) -> np.ndarray:
    """(steps,) symbols: a walk along the pitches of a scale, with a rest or a repeated note now and then."""
    symbols = np.full(steps, HOLD, np.uint8)
    step, degree = 0, int(generator.integers(len(pitches)))
    while step < steps:
        degree = int(np.clip(degree + generator.integers(-2, 3), 0, len(pitches) - 1))
        length = int(generator.choice(durations))
        if generator.random() < 0.08:
            symbols[step : step + length] = REST
        else:
            symbols[step] = pitches[degree]
        step += length
    return symbols


def scale(key: Key, low: int, semitones: int) -> list[int]:
    """The pitches of a key signature from `low` on."""
    return [pitch for pitch in range(low, low + semitones) if (pitch - 7 * key.fifths) % 12 in (0, 2, 4, 5, 7, 9, 11)]


def chorale(number: int) -> Roll:
    """Four voices at 4 steps per quarter: 4/4, now and then 3/4; every other one with a pickup."""
    generator = np.random.default_rng([1, number])
    metre = Metre(3, 4) if number % 5 == 3 else Metre(4, 4)
    key = Key((number % 5) - 2, "minor" if number % 3 == 2 else "major")
    pickup = 4 * (number % 2)
    steps = pickup + int(metre.quarters * 4) * (2 + number % 3) - pickup
    bases = (67, 62, 55, 45)
    voices = [line(generator, steps, scale(key, base, 10), (4, 4, 4, 8, 2)) for base in bases]
    return Roll(
        np.stack(voices, axis=1),
        4,
        ((0, metre),),
        pickup,
        keys=((0, key),) if number != 7 else (),
        names=SATB,
        title=f"Chorale {number}",
    )


def tune(number: int) -> Roll:
    """A melody at 12 steps per quarter: 6/8 and 4/4, pickups, and a strain that comes again."""
    generator = np.random.default_rng([2, number])
    metre = Metre(6, 8) if number % 2 else Metre(4, 4)
    key = Key(number % 3, "dorian" if number % 4 == 3 else "major")
    pickup = (0, 6, 0, 12)[number % 4]
    bar = int(metre.quarters * 12)
    pitches = scale(key, 62, 18)
    strain = line(generator, bar * (1 + number % 2), pitches, (6, 6, 6, 12, 12, 18, 4))
    symbols = np.concatenate([line(generator, pickup, pitches, (6,)), strain, strain])
    symbols = symbols[: len(symbols) - pickup][:, None]
    return Roll(symbols, 12, ((0, metre),), pickup, keys=((0, key),), names=("Melody",), title=f"Tune {number}")


ROLLS = {  # as a corpus gives them: each ends with its last note
    "chorales": tuple(chorale(i).without_tail() for i in range(12)),
    "tunes": tuple(tune(i).without_tail() for i in range(12)),
}


def write_corpus(path: Path, rolls: Iterable[Roll], splits: Sequence[str] = SPLITS) -> Path:
    """Encode rolls, with splits of one's choice."""
    rolls = list(rolls)
    with TemporaryDirectory() as folder, closing(Writer(Path(folder), rolls[0].voices)) as writer:
        for number, roll in enumerate(rolls):
            writer.add(np.ascontiguousarray(roll.symbols).tobytes(), about(roll, f"piece-{number}", "toy"))
        header = {"steps_per_quarter": rolls[0].steps_per_quarter, "licence": "our own", "source": "toys"}
        writer.finish(path, header, splits, overwrite=False)
    return path


def run_of(name: str, corpus: Path, out: Path, epochs: int | None = 2, **others: Any) -> Run:
    """A training run of a toy model."""
    kind, opened = family(name), open_corpus(corpus)
    settings = kind.settings.of(SETTINGS[name] | others.pop("settings", {}))
    budget = others.pop("budget", Budget(epochs))
    vocabulary = vocabulary_of(opened, others.get("base"))
    return Run(kind, opened, vocabulary, settings, budget, out, others.pop("seed", 1), precision="float32", **others)


def tiny_vocabulary(*ranges: tuple[int, int], metre: str = "4/4", grid: int = 1) -> Vocabulary:
    """A vocabulary of one metre on a grid of quarters."""
    parsed = Metre.parse(metre)
    return Vocabulary(grid, ranges, (parsed,), int(parsed.quarters * grid))
