"""How good musegen's models are, beside baselines: `make benchmark DATA=FOLDER`. Writes quality.md, .json and .png.

What was found is kept in runs/quality/, one file for each system under each protocol, and not measured again unless its
data, options or weights change; so a run that was stopped goes on where it was. Figures that were published are cited.
"""

from __future__ import annotations

import os

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")  # read when numpy and torch are loaded

import argparse  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from pathlib import Path  # noqa: E402

import data  # noqa: E402
import measures  # noqa: E402
from findings import Finding, load, report, save  # noqa: E402
from measures import Where, data_hash, notes_hash, twin  # noqa: E402
from systems import CITED, HOW, ORDERS, OURS, PUBLISHED_MINUTES, TITLES  # noqa: E402

from musegen.checkpoints import load_checkpoint  # noqa: E402
from musegen.errors import MusegenError  # noqa: E402

ABOUT = """
# Quality

Written by `make benchmark`, or piece by piece as the column `again` says. Lower nats are better; figures are of test
data, of which nothing was chosen. Baselines learn in one thread for the processor time that is given. Figures that are
cited were published, or measured before this benchmark stood, and were not run again.
"""


@dataclass(frozen=True)
class Job:
    """A system under a protocol.

    Attributes:
        name: `PROTOCOL/system`, as on the command line.
        system: as in the table.
        identity: of all that its figures depend on.
        run: measures it.
    """

    name: str
    system: str
    identity: Callable[[], str]
    run: Callable[[], Finding]

    @property
    def protocol(self) -> str:
        return self.name.split("/")[0]

    @property
    def file(self) -> Path:
        return Path(self.name.replace("/", "-").replace(" ", "-") + ".json")


def jobs(where: Where) -> list[Job]:
    """All there is to measure, in the order of the table."""
    found: list[Job] = []

    def add(name: str, system: str, run: Callable[[], Finding], identity: Callable[[], str] | None = None) -> None:
        protocol = name.split("/", maxsplit=1)[0]
        found.append(Job(name, system, identity or (lambda: notes_hash(protocol)), run))

    def add_ours(name: str, system: str, run: Callable[[], Finding] | None = None) -> None:
        def identity() -> str:
            shipped = len(OURS[name].split()) == 1
            told = load_checkpoint(OURS[name]).hash if shipped else "smoke" if where.smoke else OURS[name]
            return told if name.startswith("P6") else f"{data_hash(name.split('/', maxsplit=1)[0])} {told}"

        add(name, f"musegen {system}", run or (lambda: measures.ours(name, where)), identity)

    def add_gru(name: str, system: str, size: Callable[[], tuple[int, int, float]]) -> None:
        protocol = name.split("/", maxsplit=1)[0]

        def planned() -> tuple[int, int, float]:
            parameters, layers, minutes = size()
            return parameters, layers, min(minutes, where.most)

        def identity() -> str:
            parameters, layers, minutes = planned()
            return f"{notes_hash(protocol)} {parameters} in {layers} for {minutes:.1f} minutes"

        add(name, system, lambda: measures.bare_gru(protocol, *planned()), identity)

    add("P1/even", "even chances", lambda: measures.even("P1"))
    add("P1/markov", "Markov with place in beat and run length", measures.markov)
    add_gru("P1/gru", "bare GRU of the published size", lambda: (220_000, 3, PUBLISHED_MINUTES))
    for family in ("lstm", "feedforward", "vae"):
        add_ours(f"P1/{family}", family)
    add_gru("P1/gru-twin", "bare GRU as large as our lstm", lambda: _layered(twin("P1/lstm", where)))
    add("P4/even", "even chances", lambda: measures.even("P4"))
    for order in ORDERS:
        add(f"P4/ngram-{order}", f"n-gram, order {order}", lambda order=order: measures.ngram(order))  # type: ignore[misc]
    add("P4/ngram-4-moved", "n-gram, order 4, all transpositions", lambda: measures.ngram(4, moved=True))
    add_gru("P4/gru", "bare GRU, 2 x 256", lambda: (660_000, 2, PUBLISHED_MINUTES))
    for family in ("lstm", "feedforward"):
        add_ours(f"P4/{family}", family)
    add_gru("P4/gru-twin", "bare GRU as large as our lstm", lambda: _layered(twin("P4/lstm", where)))
    add("P5/hold", "always hold", measures.always_hold)
    add("P5/hidden", "one hidden layer of 200", measures.hidden_layer)
    add_ours("P5/minibach", "minibach")
    for name in ("bach", "celtic"):
        add_ours(f"own {name}/lstm", f"lstm ({OURS[f'own {name}/lstm']})")
        add_gru(
            f"own {name}/gru-twin",
            "bare GRU as large",
            lambda name=name: _layered(twin(f"own {name}/lstm", where)),  # type: ignore[misc]
        )
    shipped = OURS["P6/lstm"]
    add("P6/jsb-train", "Bach, JSB train", lambda: measures.bach("P1", "train"), lambda: notes_hash("P1"))
    add("P6/jsb-test", "Bach, JSB test", lambda: measures.bach("P1", "test"), lambda: notes_hash("P1"))
    own = "own bach"
    add("P6/bach-test", "Bach, test of `bach`", lambda: measures.bach(own, "test"), lambda: notes_hash(own))
    add_ours("P6/lstm", f"lstm ({shipped})", lambda: measures.sampled(where))
    add("drawing/gru", "bare GRU 3 x 256, batch of 64", measures.bare_drawing, lambda: "")
    add("drawing/lstm", f"musegen {shipped}", measures.our_drawing, lambda: load_checkpoint(shipped).hash)
    return found


def _layered(size: tuple[int, float]) -> tuple[int, int, float]:
    parameters, minutes = size
    return parameters, 2, minutes


def main() -> None:
    """Measure what is not yet known, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "only", nargs="*", metavar="WHAT", help=f"of {', '.join(TITLES)}; or a job such as P1/lstm; all if none"
    )
    parser.add_argument("--list", action="store_true", help="name the jobs and what is known of them, and stop")
    parser.add_argument("--again", action="store_true", help="measure anew what is known")
    parser.add_argument(
        "--most", type=float, default=float("inf"), metavar="MINUTES", help="that a GRU may train; no bound by default"
    )
    parser.add_argument("--smoke", action="store_true", help="train for seconds and write nothing here: try the path")
    arguments = parser.parse_args()
    where = Where(data.RUNS / ("smoke" if arguments.smoke else "quality"), arguments.most, arguments.smoke)
    if arguments.smoke:
        where = replace(where, most=min(where.most, 0.2))
    everything = jobs(where)
    chosen = [each for each in everything if not arguments.only or _asked(each, arguments.only)]
    if unknown := [each for each in arguments.only if not any(_asked(job, [each]) for job in everything)]:
        parser.error(f"nothing is called {', '.join(unknown)}; see --list")
    if arguments.list:
        for job in chosen:
            found = load(where.folder / job.file)
            print(f"{job.name:24} {found.date if found else '-':12} {job.system}")
        return
    failed = []
    for job in chosen:
        try:
            measure(job, where, arguments.again)
        except (MusegenError, subprocess.CalledProcessError) as error:  # the others can still be measured
            print(f"   failed: {error}", file=sys.stderr, flush=True)
            failed.append(job.name)
    if not arguments.smoke:
        known = {job.name: load(where.folder / job.file) for job in everything}
        rows = [*CITED, *(each for each in known.values() if each)]
        report(sorted(rows, key=lambda each: list(TITLES).index(each.protocol)), TITLES, HOW, ABOUT)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


def measure(job: Job, where: Where, again: bool) -> Finding:
    """Measure a system, unless that was done and nothing it hangs on has changed since."""
    path, identity = where.folder / job.file, job.identity()
    known = load(path)
    if known and known.identity == identity and not again:
        return known
    print(f"== {job.name}: {job.system}", flush=True)
    if known and known.identity != identity:
        path.with_suffix(".safetensors").unlink(missing_ok=True)  # of other data or options: it is trained anew
    found = job.run()
    bound = "" if where.most == float("inf") else f"--most {where.most:g} "
    command = found.command or f"python benchmarks/quality.py {bound}{_quoted(job.name)}"
    # A training of ours may have been what the identity hangs on, so it is asked for once more.
    found = replace(found, protocol=job.protocol, system=job.system, identity=job.identity(), command=command)
    save(path, found)
    print("   " + ", ".join(f"{name} {value:.4g}" for name, value in found.figures.items()), flush=True)
    return found


def _asked(job: Job, names: Sequence[str]) -> bool:
    return job.name in names or job.protocol in names or job.protocol.split()[0] in names


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name


if __name__ == "__main__":
    main()
