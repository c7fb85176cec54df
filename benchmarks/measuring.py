"""How speed is measured here, and how what was measured is kept.

Each figure is a ratio against a baseline that ran in the same minutes on the same machine: contestants take turns, A B
A B, the ratio is taken within each round, and the median over the rounds counts. So the figures mean much the same on
a slower machine, and on one that others use at the same time.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Spent:
    """What one turn cost, in seconds; processor time counts all threads, and processes that were waited for."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: was measured, against what.
        ratio: that counts.
        wanted: the bound, and
        at_most: whether it is an upper one.
        figures: behind the ratio, for people.
        load: processes that wanted a processor, on average over the last minute, after the measurement.
        date: of the measurement.
        again: the command that repeats it.
    """

    what: str
    ratio: float
    wanted: float
    at_most: bool
    figures: str
    load: float
    date: str
    again: str = ""

    @property
    def reached(self) -> bool:
        return self.ratio <= self.wanted if self.at_most else self.ratio >= self.wanted


def take_turns(rounds: int, contestants: dict[str, Callable[[], object]], warm: bool = True) -> dict[str, list[Spent]]:
    """Run each contestant once a round, in turn.

    Args:
        rounds: that count.
        contestants: by name.
        warm: whether a round that does not count comes first, to fill caches.
    """
    spent: dict[str, list[Spent]] = {name: [] for name in contestants}
    for number in range(-1 if warm else 0, rounds):
        for name, run in contestants.items():
            wall, cpu = time.perf_counter(), _cpu()
            run()
            if number >= 0:
                spent[name].append(Spent(time.perf_counter() - wall, _cpu() - cpu))
    return spent


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def ratio(ours: Sequence[Spent], baseline: Sequence[Spent], by: str = "cpu") -> float:
    """How many times the baseline's cost ours is: the median over the rounds."""
    return statistics.median(getattr(a, by) / getattr(b, by) for a, b in zip(ours, baseline, strict=True))


def median(spent: Sequence[Spent], by: str = "cpu") -> float:
    """Seconds."""
    return statistics.median(getattr(each, by) for each in spent)


def seconds(spent: Sequence[Spent]) -> str:
    """For people: processor and wall time."""
    return f"{median(spent):.3g} s CPU, {median(spent, 'wall'):.3g} s wall"


def row(what: str, value: float, wanted: float, at_most: bool, figures: str) -> Row:
    """A line, with today's date and the load."""
    found = Row(what, round(value, 3), wanted, at_most, figures, round(os.getloadavg()[0], 1), str(date.today()))
    print(f"{what}: {found.ratio:.3g} ({_bound(found)}{'' if found.reached else ', MISSED'}); {figures}", flush=True)
    return found


def process(command: Sequence[str], environment: dict[str, str], code: int = 0) -> Callable[[], None]:
    """Something that runs a program to its end; its output goes nowhere.

    Args:
        command: to run.
        environment: of the program.
        code: that it must exit with.
    """

    def run() -> None:
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if found.returncode != code:
            raise RuntimeError(f"{' '.join(command)} exited with {found.returncode}: {found.stderr[-500:]}")

    return run


def machine() -> str:
    """Processor, cores and versions, in a line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [f"{name} {version(name)}" for name in ("torch", "numpy", "pretty_midi")]
    return ", ".join([f"{cores} cores of {model}", f"{sys.platform}, Python {platform.python_version()}", *parts])


def keep(rows: Sequence[Row], name: str, about: str) -> None:
    """Write NAME.json and NAME.md; lines of an earlier run that were not measured again stay.

    Args:
        rows: measured now.
        name: of the files.
        about: what stands above the table.
    """
    path = HERE / f"{name}.json"
    old = json.loads(path.read_text())["rows"] if path.exists() else []
    lines = {each["what"]: Row(**each) for each in old} | {each.what: each for each in rows}
    written = {"machine": machine(), "rows": [asdict(each) for each in lines.values()]}
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n")
    table = ["| what | ratio | wanted | | figures behind it | date, load | again |", "|---|---|---|---|---|---|---|"]
    table += [
        f"| {each.what} | **{each.ratio:.3g}** | {_bound(each)} | {'reached' if each.reached else 'missed'} "
        f"| {each.figures} | {each.date}, {each.load} | `{each.again}` |"
        for each in lines.values()
    ]
    text = "\n".join([about.strip(), "", f"Machine: {machine()}.", "", *table])
    (HERE / f"{name}.md").write_text(text + "\n")


def _bound(each: Row) -> str:
    return f"{'at most' if each.at_most else 'at least'} {each.wanted:g}"
