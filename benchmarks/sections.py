"""A report in sections: lines of figures, each with its date, the load and the command that repeats it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from findings import shown
from measuring import HERE, machine


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes:
        what: was measured; a later line of the same section with the same `what` takes its place.
        figures: by column, in order: numbers, or a few words.
        again: the command that repeats it.
        load: processes that wanted a processor, on average over the last minute, after the measurement.
        date: of the measurement.
    """

    what: str
    figures: Mapping[str, float | str]
    again: str = ""
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))
    date: str = field(default_factory=lambda: str(date.today()))


@dataclass(frozen=True)
class Section:
    """A table with what stands above and below it.

    Attributes:
        title: its heading.
        how: it is measured.
        what: heading of the first column.
        pictures: files beside the report, with what they show.
        sums: columns whose sums over all lines stand at the foot.
    """

    title: str
    how: str
    what: str
    pictures: Mapping[str, str] = field(default_factory=dict)
    sums: Sequence[str] = ()


def keep(found: Mapping[str, Sequence[Line]], sections: Mapping[str, Section], about: str, path: Path) -> None:
    """Write PATH.json and PATH.md; lines of an earlier run that were not measured again stay.

    Args:
        found: section -> what was measured now.
        sections: all there are, in order.
        about: what stands above them.
        path: without suffix.
    """
    kept = path.with_suffix(".json")
    old = json.loads(kept.read_text())["sections"] if kept.exists() else {}
    lines = {
        name: {each["what"]: Line(**each) for each in old.get(name, [])}
        | {each.what: each for each in found.get(name, [])}
        for name in sections
    }
    written = {name: [asdict(each) for each in some.values()] for name, some in lines.items() if some}
    kept.write_text(json.dumps({"machine": machine(), "sections": written}, indent=1, ensure_ascii=False) + "\n")
    parts = [about.strip(), f"Machine: {machine()}."]
    for name, section in sections.items():
        if some := list(lines[name].values()):
            some.sort(key=lambda line: line.what.split(", ")[0])  # those of a model or a piece together
            parts += [f"## {section.title}", section.how.strip(), table(some, section.what, section.sums)]
            there = {file: text for file, text in section.pictures.items() if (HERE / file).exists()}
            parts += [f"![{text}]({file})" for file, text in there.items()]
    path.with_suffix(".md").write_text("\n\n".join(parts) + "\n")


def table(lines: Sequence[Line], what: str, sums: Sequence[str] = ()) -> str:
    """In Markdown, with a column for each figure that any line has.

    Args:
        lines: of the table.
        what: heading of the first column.
        sums: columns that are summed up.
    """
    names = list(dict.fromkeys(name for each in lines for name in each.figures))
    header = [what, *names, "date, load", "again"]
    rows = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for each in lines:
        cells = [each.what, *(_cell(each.figures.get(name)) for name in names)]
        rows.append(f"| {' | '.join([*cells, f'{each.date}, {each.load}', f'`{each.again}`'])} |")
    if sums:
        totals = [_cell(sum(each.figures.get(name, 0) for each in lines)) if name in sums else "" for name in names]  # type: ignore[misc]
        rows.append(f"| **all** | {' | '.join(totals)} | | |")
    return "\n".join(rows)


def _cell(value: float | str | None) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else shown(value)
