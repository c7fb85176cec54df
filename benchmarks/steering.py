"""How well models keep to what is given and asked, and at what cost: `python benchmarks/steering.py [MEASUREMENT ...]`.

Writes steering.md, steering.json and the pictures of what was filled beside this file.
"""

from __future__ import annotations

import os

USERS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment of programs that are started: like anyone's, they may keep compiled modules."""
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = USERS[f"{_library}_NUM_THREADS"] = "1"  # read when numpy is loaded

import argparse  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterable, Iterator, Sequence  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from cuts import CUTS, cut  # noqa: E402
from demands import broken  # noqa: E402
from holes import TASKS, ahead, sopranos  # noqa: E402
from measuring import HERE, process, ratio, seconds, take_turns  # noqa: E402
from sections import Line, Section, keep  # noqa: E402

from musegen import composing  # noqa: E402
from musegen.checkpoints import Checkpoint, available, load_checkpoint  # noqa: E402
from musegen.models.base import Sampling  # noqa: E402
from musegen.models.numpy_layers import Floats, pick  # noqa: E402
from musegen.models.particles import _share  # noqa: E402
from musegen.models.slice_composer import Run, SliceComposer  # noqa: E402
from musegen.models.slice_limits import Limits  # noqa: E402
from musegen.models.slices import Ints  # noqa: E402
from musegen.representation.constraints import Constraints  # noqa: E402
from musegen.representation.template import Template  # noqa: E402
from musegen.score import Key, Metre  # noqa: E402

PYTHON = sys.executable
MUSEGEN = str(Path(PYTHON).with_name("musegen"))
BACH = ("bach-lstm", "bach-feedforward", "bach-vae", "bach-minibach", "bach-coconet")
HYMN = """X:1
T:Old Hundredth
C:Genevan Psalter, 1551
M:4/4
L:1/4
K:G
G G F E | D G A B | B B B A | G c B A | G A B A | G E F G | d B G A | c B A G |]
"""
"""Eight bars of 4/4, in the public domain."""
SLICES, BLOCK, BARS = 64, 8, 24
"""Slices that are timed in each round, how many a contestant draws in a turn, and bars of the pieces."""
EVERYTHING: dict[str, Any] = {
    "scale": "G major",
    "chords": "G C Em Am D G",
    "leap": "12",
    "shortest": "1/16",
    "longest": "1/1",
    "begin": "tonic",
    "end": "tonic",
    "form": "AA'BA",
}
"""All that can be asked of a new piece, besides ranges and notes (and `keep`, which needs a piece to keep from)."""

ABOUT = """
# Steering

Written by `python benchmarks/steering.py`, all at once or one by one as the last column says. One thread. The load is
that of the whole machine: other programs ran at the same time wherever it is above 1. Test pieces are those of the
splits of `bach` and `celtic`, of which nothing was learnt or chosen.
"""

SECTIONS = {
    "process": Section(
        "Harmonising a melody of 8 bars, from the shell's prompt to the file",
        "Old Hundredth, in ABC, with each model at its defaults. Processor seconds against those of "
        "`python -c 'import torch'`, in turns; the ratio is taken within each round, and its median counts.",
        "model",
    ),
    "step": Section(
        "A step of the left-to-right sampler, with all that can be asked and with nothing",
        f"A step draws one slice of every row. Both draw the first {SLICES} slices of pieces of {BARS} bars, "
        f"{BLOCK} at a time in turns; median over the rounds of the ratios of processor time. Asked are scale, ranges, "
        "a note and a rest, chords, leap, shortest and longest, begin, end and form (`keep` needs a piece). 32 rows "
        "are 32 particles of one piece, weighed, against 32 pieces. To set up the tables of a piece is no step; it is "
        "measured apart. At most 1.3 was wanted.",
        "what",
    ),
    "broken": Section(
        "How often what was asked is not met",
        "Pieces written as files (MIDI, ABC, MusicXML by turns), read back, and looked at by `checking.py`, which "
        "knows nothing of grids, symbols and automata; of what was given every note must have come back. 4 particles. "
        "*Refused*: what was asked clashed with the piece, and was refused before a note was drawn; another piece took "
        "its place. *Given up*: no version came through, which is an error and writes nothing; another number was "
        "taken. That happens with few particles, where a form has to fit chords or ends that lie far ahead. 0 broken "
        "of 1,000 was wanted.",
        "model and verb",
        sums=("pieces", "broken", "given notes lost", "refused", "given up"),
    ),
    "ahead": Section(
        "Looking ahead, against plain forcing",
        "Held-out pieces, partly given, filled, and scored whole by the same model: nats of the whole piece per open "
        "cell (lower is likelier), beside the true piece's. One particle is plain forcing: the model walks into what "
        "is given. *Better* is plain forcing less 32 particles, the default of the command line, with its standard "
        "error over pieces. The shortest test pieces of more than 8 bars.",
        "model, what is given, temperature",
    ),
    "sopranos": Section(
        "The sopranos of Bach's test pieces, harmonised",
        "Each model at its defaults (32 particles), seed 1. *Pitch* and *pitch class*: share of the steps on which the "
        "very pitch of Bach's own voice sounds, or its pitch class; chance or style, not right or wrong. *Nats per "
        "note*: of the cells that the model foretells, in Bach's piece and in its own (a coconet's are means over "
        "orders; a vae's, bounds; minibach is given the soprano, the others foretell it too). *By bach-lstm*: the same "
        "by one judge. Faults as in `leading.py`: parallels of any two voices, crossings and overlaps of neighbours.",
        "model",
    ),
    "cut": Section(
        "A bar of three voices cut out of five test pieces, and filled",
        "The bar is in the middle of the piece, and notes that reach out of it stay; below the soprano all is open. "
        "32 particles, seed 1. *Pitch*: share of the open cells in which Bach's own pitch sounds. Faults as above, "
        "counted from a quarter before the bar to a quarter after it, so that the ways into it and out of it count.",
        "piece, who",
        CUTS,
    ),
}


def main() -> None:
    """Measure, and write the report."""
    measurements: dict[str, Callable[[argparse.Namespace], Iterable[Line]]] = {
        "process": harmonising,
        "step": step,
        "broken": broken,
        "ahead": ahead,
        "sopranos": sopranos,
        "cut": cut,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="MEASUREMENT", help=f"any of {', '.join(measurements)}; all if none")
    parser.add_argument("--models", nargs="+", help="names or files; by default what is shipped and can")
    parser.add_argument("--rounds", type=int, default=7, help="of what is timed (default: %(default)s)")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, help="of `ahead`; by default all")
    parser.add_argument("--verbs", nargs="+", help="of `broken`; by default all that suit the model")
    parser.add_argument("--pieces", type=int, help="of each task or demand")
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(measurements):
        parser.error(f"no measurement is called {', '.join(unknown)}")
    for name in arguments.only or measurements:
        for line in measurements[name](arguments):  # what was measured stays, even if the rest is never reached
            print(f"{name}: {line.what}: {dict(line.figures)}", flush=True)
            again = line.again or f"python benchmarks/steering.py {name}"
            known = replace(line, again=f"{again} --pieces {arguments.pieces}" if arguments.pieces else again)
            keep({name: [known]}, SECTIONS, ABOUT, HERE / "steering")


def shipped(names: Sequence[str], asked: Sequence[str] | None) -> list[str]:
    """Those asked for; if none are, those of some names that are there."""
    if asked:
        return list(asked)
    return [name for name in names if name in available()]


def harmonising(arguments: argparse.Namespace) -> Iterator[Line]:
    """A whole process for each model."""
    models = shipped(BACH, arguments.models)
    with tempfile.TemporaryDirectory() as folder:
        hymn = Path(folder) / "hymn.abc"
        hymn.write_text(HYMN)
        contestants: dict[str, Callable[[], object]] = {"torch": process([PYTHON, "-c", "import torch"], USERS)}
        for model in models:
            command = [MUSEGEN, "harmonize", str(hymn), "--model", model, "--seed", "1", "-o", f"{folder}/out.mid"]
            contestants[model] = process([*command, "--overwrite"], USERS)
        spent = take_turns(arguments.rounds, contestants)
    for model in models:
        yield Line(
            Path(model).stem,
            {
                "ratio": ratio(spent[model], spent["torch"]),
                "ratio of wall time": ratio(spent[model], spent["torch"], "wall"),
                "process": seconds(spent[model]),
                "import torch": seconds(spent["torch"]),
            },
        )


def step(arguments: argparse.Namespace) -> Iterator[Line]:
    """The sampler's loop, slice by slice."""
    for name in arguments.models or ("bach-lstm", "celtic-lstm"):
        model = load_checkpoint(name)
        for what, asked in (("everything", EVERYTHING), ("all but form", EVERYTHING | {"form": None})):
            free, bound = both(model, asked)
            for rows in (1, 32):
                figures = compared(model, free, bound, rows, arguments.rounds)
                yield Line(f"{model.name}, {what}, {rows} row{'s' * (rows > 1)}", figures)


def both(model: Checkpoint, asked: dict[str, Any]) -> tuple[Template, Template]:
    """A piece of which nothing is asked, and the same with ranges, notes and more asked of it."""
    wishes = composing.Wishes(bars=BARS, key=Key.parse("G"), metre=Metre(4, 4))
    free = composing.template_for(model, Sampling(1), 1, wishes)
    more: dict[str, Any] = {"range": ["B3-B5"], "note": ["2:1=G4", "3:4=rest"]}
    if model.vocabulary.voices > 1:
        more = {"range": ["soprano:C4-A5", "alto:F3-D5", "tenor:C3-A4", "bass:E2-D4"]}
        more["note"] = ["soprano@2:1=G5", "bass@3:4=rest"]
    return free, composing.narrow(model, free, Constraints.of(asked | more))


def compared(model: Checkpoint, free: Template, bound: Template, rows: int, rounds: int) -> dict[str, float | str]:
    """Time the same number of slices of both; how long the tables take is among the figures, not in the ratio."""
    composer, how = model.composer(), Sampling(1, model.family.temperature)
    assert isinstance(composer, SliceComposer)
    per_slice: dict[str, list[float]] = {"free": [], "bound": []}
    tables = []
    for number in range(rounds + 1):  # the first warms up
        began = time.process_time()
        limits = Limits([bound], rows, composer.vocabulary, composer.voices.order)
        tables.append(time.process_time() - began)
        state, generator = composer.start(how, [number] * rows), how.generator(number)
        runs = {"free": Run(composer, [free] * rows, state), "bound": Run(composer, [bound] * rows, state, limits)}
        chances = generator.random((SLICES, rows, composer.vocabulary.voices + 1))
        spent, drawn = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0)
        for first in range(0, SLICES, BLOCK):
            for name, run in runs.items():
                began = time.process_time()
                for chance in chances[first : first + BLOCK]:
                    drawn[name] += len(run.active)
                    _advance(run, how, chance[run.active], weigh=name == "bound" and rows > 1)
                spent[name] += time.process_time() - began
            alive = np.flatnonzero(~limits.dead)
            if len(alive) < rows and len(alive):  # as particles do, but not at every quarter: none of it is timed
                runs["bound"].resample(np.arange(rows), np.sort(generator.permutation(np.resize(alive, rows))))
                runs["bound"].active = np.flatnonzero(runs["bound"].at < runs["bound"].steps)
        if number:
            for name, each in spent.items():
                per_slice[name].append(1e3 * each / drawn[name])
    pairs = zip(per_slice["bound"], per_slice["free"], strict=True)
    return {
        "ratio": statistics.median(one / other for one, other in pairs),
        "asked, ms a slice": statistics.median(per_slice["bound"]),
        "nothing asked, ms a slice": statistics.median(per_slice["free"]),
        "tables, ms a piece": 1e3 * statistics.median(tables[1:]),
    }


def _advance(run: Run, how: Sampling, chance: Floats, weigh: bool) -> None:
    """Draw a slice of every row that is at work."""
    weights = np.zeros(len(chance))

    def choose(column: int, logits: Floats, allowed: Floats) -> Ints:
        if weigh:
            weights[:] += _share(logits, allowed, how.temperature)
        return pick(allowed, how, chance[:, column])

    run.advance(choose)


if __name__ == "__main__":
    main()
