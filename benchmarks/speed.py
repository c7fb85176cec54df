"""How fast musegen is, beside baselines: `make benchmark`. Writes speed.md and speed.json beside this file.

The figures are about one thread, so that they hold for many processes side by side; programs that are started run as a
user's would.
"""

from __future__ import annotations

import os

USERS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment of programs that are started: like anyone's, they may keep compiled modules."""
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"  # read when numpy and torch are loaded, so it comes before any import

import argparse  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import replace  # noqa: E402
from itertools import islice  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from measuring import HERE, Row, Spent, keep, median, process, ratio, row, seconds, take_turns  # noqa: E402

from musegen import composing  # noqa: E402
from musegen.checkpoints import load_checkpoint  # noqa: E402
from musegen.models.base import Filling, Sampling  # noqa: E402
from musegen.representation.roll import REST  # noqa: E402
from musegen.representation.template import Template  # noqa: E402

PYTHON = sys.executable
MUSEGEN = str(Path(PYTHON).with_name("musegen"))
BATCH, BARS = 256, 16
SINGLY = 16
"""Pieces of the batch that are also composed one at a time."""

ABOUT = """
# Speed

Written by `make benchmark`, all at once or one by one as the last column says. Every figure is a ratio
against a baseline of the same run: contestants take turns, the ratio is taken within each round and its median counts.
Ratios are of processor seconds, unless wall time is named; one thread, unless two processes are named. The load is that
of the whole machine: other programs ran at the same time wherever it is above 1.
"""


def main() -> None:
    measurements: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
        "start": start,
        "sample": sample,
        "batch": batch,
        "train": train,
        "encode": encode,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="MEASUREMENT", help=f"any of {', '.join(measurements)}; all if none")
    parser.add_argument(
        "--models",
        nargs="+",
        default=["bach-lstm", "celtic-lstm", "bach-feedforward"],
        help="names or files; the first is also the one of the batch (default: %(default)s)",
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("DATA", HERE.parent.parent / "shared" / "data"))
    parser.add_argument(
        "--files", type=int, default=400, help="of those, for `encode`; 0 for all (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(measurements):
        parser.error(f"no measurement is called {', '.join(unknown)}")
    rows = [
        replace(found, again=f"python benchmarks/speed.py {name}")
        for name in arguments.only or measurements
        for found in measurements[name](arguments)
    ]
    keep(rows, "speed", ABOUT)


def start(arguments: argparse.Namespace) -> Iterator[Row]:
    """Answers that need no model."""
    contestants = {
        "bare": process([PYTHON, "-c", "pass"], USERS),
        "help": process([MUSEGEN, "--help"], USERS),
        "misuse": process([MUSEGEN, "sample", "--no-such-option"], USERS, code=2),
    }
    spent = take_turns(3 * arguments.rounds, contestants)
    for name, what in (("help", "`musegen --help`"), ("misuse", "`musegen sample` with a wrong option")):
        figures = f"{seconds(spent[name])}; {seconds(spent['bare'])}"
        yield row(f"{what} / `python -c pass`", ratio(spent[name], spent["bare"]), 12.5, True, figures)


def sample(arguments: argparse.Namespace) -> Iterator[Row]:
    """One piece, from the shell's prompt to the file."""
    with tempfile.TemporaryDirectory() as folder:
        contestants = {"torch": process([PYTHON, "-c", "import torch"], USERS)}
        for model in arguments.models:
            command = [MUSEGEN, "sample", model, "-n", "1", "--seed", "1", "-o", f"{folder}/piece.mid", "--overwrite"]
            contestants[model] = process(command, USERS)
        spent = take_turns(arguments.rounds, contestants)
    for model in arguments.models:
        figures = f"{seconds(spent[model])}; {seconds(spent['torch'])}"
        what = f"`musegen sample {Path(model).stem} -n 1`, whole process / `python -c 'import torch'`"
        yield row(what, ratio(spent[model], spent["torch"]), 0.6, True, figures)


def batch(arguments: argparse.Namespace) -> Iterator[Row]:
    """Many pieces together, one at a time, and the same matrix products alone."""
    model = load_checkpoint(arguments.models[0])
    composer, how = model.composer(), Sampling(1)
    numbers = range(1, BATCH + 1)
    wishes = composing.Wishes(bars=BARS)
    templates = [composing.template_for(model, how, number, wishes) for number in numbers]
    chosen = range(0, BATCH, BATCH // SINGLY)

    def singly() -> list[Filling]:
        return [composer.fill([templates[i]], how, [numbers[i]])[0] for i in chosen]

    # How many pieces each step advances: those that have not ended.
    step, rows_of_steps = composer.trunk.step, []

    def counting(features: np.ndarray, state: tuple[np.ndarray, ...]) -> object:
        rows_of_steps.append(len(features))
        return step(features, state)

    composer.trunk.step = counting
    together = composer.fill(templates, how, numbers)
    composer.trunk.step = step
    matrices = [
        *(matrix for matrix, _ in composer.trunk.layers),
        composer.voices.read.T,
        *composer.voices.symbol,
        composer.voices.length.T,
    ]
    given = np.random.default_rng(1).standard_normal((BATCH, max(matrix.shape[0] for matrix in matrices)))
    givens = [np.ascontiguousarray(given[:, : matrix.shape[0]]) for matrix in matrices]

    def products() -> None:
        for rows in rows_of_steps:
            for one, matrix in zip(givens, matrices, strict=True):
                one[:rows] @ matrix

    alone = singly()
    if any(
        not np.array_equal(one.roll.symbols, together[i].roll.symbols) for i, one in zip(chosen, alone, strict=True)
    ):
        raise RuntimeError("a piece in a batch differs from the same piece alone")
    spent = take_turns(
        arguments.rounds,
        {"together": lambda: composer.fill(templates, how, numbers), "singly": singly, "products": products},
    )
    cells, onsets = _counted(templates, together)
    cells_singly, onsets_singly = _counted([templates[i] for i in chosen], alone)
    both, one = median(spent["together"]), median(spent["singly"])
    name = f"{model.name}, {BATCH} pieces of {BARS} bars"
    figures = (
        f"{cells / both:,.0f} notes (cells), {onsets / both:,.0f} onsets per CPU second in {both:.2f} s "
        f"({median(spent['together'], 'wall'):.2f} s wall); "
        f"{cells_singly / one:,.0f} and {onsets_singly / one:,.0f} singly"
    )
    faster = ratio(spent["singly"], spent["together"]) * cells / cells_singly
    yield row(f"{name}: notes per second together / one at a time", faster, 20, False, figures)
    steps, alone_ms = len(rows_of_steps), 1e3 * median(spent["products"])
    figures = (
        f"{steps} steps of {sum(rows_of_steps) / steps:.0f} pieces on average: {1e3 * both / steps:.1f} ms a step; "
        f"{alone_ms / steps:.1f} ms"
    )
    what = f"{name}: time per step / the same float64 matrix products alone"
    yield row(what, ratio(spent["together"], spent["products"]), 2, True, figures)


def _counted(templates: list[Template], fillings: list[Filling]) -> tuple[int, int]:
    """Cells that were filled, and notes that begin in them."""
    cells = sum(int(template.open.sum()) for template in templates)
    return cells, sum(int((filling.roll.symbols < REST).sum()) for filling in fillings)


def train(arguments: argparse.Namespace) -> Iterator[Row]:
    """An epoch of the real training loop, and of a bare one over the same network and the same batches in memory."""
    import torch

    from musegen.corpora import open_corpus
    from musegen.models import family
    from musegen.models.network import Noise
    from musegen.training.batches import collate, prepare, training_batches
    from musegen.training.loop import train as learn
    from musegen.training.run import Budget, Run, vocabulary_of

    torch.set_num_threads(1)
    corpus, kind = open_corpus("bach"), family("lstm")
    settings, vocabulary = kind.settings(), vocabulary_of(corpus)
    rolls = (corpus.roll(index) for index in corpus.split("train"))
    batches = training_batches(prepare(kind, rolls, vocabulary, settings)[0], settings.batch, 1, 0)
    cells = [each.cells for each in batches]
    cpu = torch.device("cpu")
    tensors = [
        {name: torch.from_numpy(array) for name, array in collate(kind, each, vocabulary).items()} for each in batches
    ]
    network = kind.network(vocabulary, settings)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)

    def bare() -> list[float]:
        """The processor time after each step."""
        clock = []
        for number, batch in enumerate(tensors):
            pieces = len(batch["lengths"])
            optimiser.zero_grad(set_to_none=True)
            loss, _ = network(batch, Noise(1, number, pieces, list(range(pieces)), cpu, learning=True))
            (loss / cells[number]).backward()
            optimiser.step()
            clock.append(time.process_time())
        return clock

    def real() -> list[float]:
        clock = []
        with tempfile.TemporaryDirectory() as folder:
            run = Run(
                kind,
                corpus,
                vocabulary,
                settings,
                Budget(epochs=1),
                Path(folder, "m.safetensors"),
                1,
                precision="float32",
            )
            learn(run, lambda event: clock.append(time.process_time()) if event["event"] == "step" else None)
        return clock

    # From the end of the first step to the end of the last: neither preparing nor measuring on held-out music counts.
    found: dict[str, list[Spent]] = {"bare": [], "real": []}
    for _ in range(min(3, arguments.rounds)):
        for name, contestant in (("bare", bare), ("real", real)):
            clock = contestant()
            found[name].append(Spent(0.0, clock[-1] - clock[0]))
    counted = sum(cells[1:])
    figures = (
        f"{counted / median(found['real']):,.0f} notes (cells) per CPU second over {len(cells)} steps of "
        f"{settings.batch} pieces; {counted / median(found['bare']):,.0f}, without clipping, averaging and reports"
    )
    what = "Training the default lstm on bach: notes per second / a bare PyTorch loop, its batches in memory"
    yield row(what, ratio(found["bare"], found["real"]), 0.8, False, figures)


def encode(arguments: argparse.Namespace) -> Iterator[Row]:
    """Files of melodies into a corpus, and the same files merely read."""
    from musegen.corpora.encode import encode_files

    source = Path(arguments.data, "nottingham", "MIDI_melody")
    paths = sorted(source.glob("*.mid"))
    if not paths:
        print(
            f"encode: no files in {source}; get the folder MIDI/melody of jukedeck/nottingham-dataset on GitHub, and "
            "say where it lies: make benchmark DATA=FOLDER, for FOLDER/nottingham/MIDI_melody",
            file=sys.stderr,
        )
        return
    import pretty_midi

    some = list(islice(paths, 0, None, max(1, len(paths) // arguments.files) if arguments.files else 1))

    def read() -> None:
        for path in some:
            pretty_midi.PrettyMIDI(str(path))

    with tempfile.TemporaryDirectory() as folder:

        def encoded(jobs: int) -> Callable[[], object]:
            return lambda: encode_files(some, Path(folder, "corpus.safetensors"), jobs=jobs, overwrite=True)

        spent = take_turns(min(3, arguments.rounds), {"read": read, "one": encoded(1), "two": encoded(2)}, warm=False)
    rates = {
        name: f"{len(some) / median(each, 'wall'):.0f} files per second ({seconds(each)})"
        for name, each in spent.items()
    }
    what = "Encoding MIDI melodies with one process: files per second / reading them with pretty_midi alone"
    yield row(
        what, ratio(spent["read"], spent["one"]), 0.7, False, f"{rates['one']}; {rates['read']}; {len(some)} files"
    )
    what = "Encoding with two processes: files per second, wall time / with one"
    figures = f"{rates['two']}; {rates['one']}"
    yield row(what, ratio(spent["one"], spent["two"], "wall"), 1.7, False, figures)


if __name__ == "__main__":
    main()
