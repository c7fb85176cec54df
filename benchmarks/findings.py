"""What was found of a system under a protocol: one file each, then one table and one figure of all."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import HERE, machine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes:
        figures: by name, in order.
        parameters: numbers that the system learnt.
        minutes: of training, processor time or, for our families, wall time.
        command: that repeats it.
        note: whatever else must be known.
        protocol: `P1` and so on.
        system: whose figures they are.
        identity: of data, options and weights; where it changes, what was found counts no more.
        date: of the measurement; empty where figures are cited.
    """

    figures: Mapping[str, float]
    parameters: int | None = None
    minutes: float | None = None
    command: str = ""
    note: str = ""
    protocol: str = ""
    system: str = ""
    identity: str = ""
    date: str = field(default_factory=lambda: str(date.today()))

    @property
    def cited(self) -> bool:
        return not self.date


def cited(protocol: str, system: str, figures: Mapping[str, float], parameters: int | None, note: str = "") -> Finding:
    """Figures that others published, or that were measured before this benchmark stood."""
    return Finding(figures, parameters, None, "", note, protocol, system, "", "")


def load(path: Path) -> Finding | None:
    """What was found earlier, if anything."""
    return Finding(**json.loads(path.read_text())) if path.exists() else None


def save(path: Path, found: Finding) -> None:
    """Keep a finding, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(found), indent=1, ensure_ascii=False) + "\n")
    part.replace(path)


def report(
    findings: Sequence[Finding], titles: Mapping[str, str], how: Mapping[str, str], about: str, stem: str = "quality"
) -> None:
    """Write STEM.json, STEM.md and STEM.png beside this file.

    Args:
        findings: in the order of the table.
        titles: of the protocols.
        how: they are measured.
        about: what stands above the table.
    """
    path = HERE / "quality"
    rows = [asdict(each) for each in findings]
    path.with_suffix(".json").write_text(
        json.dumps({"machine": machine(), "rows": rows}, indent=1, ensure_ascii=False) + "\n"
    )
    parts = [about.strip(), f"Machine: {machine()}.", "![The figures as bars](quality.png)"]
    for protocol, title in titles.items():
        own = of(findings, protocol)
        if own:
            parts += [f"## {protocol}: {title}", how[protocol], table(own)]
    path.with_suffix(".md").write_text("\n\n".join(parts) + "\n")
    try:
        picture = draw(findings)
    except ImportError:
        print("no figure: matplotlib is not installed", file=sys.stderr)
        return
    picture.savefig(path.with_suffix(".png"), dpi=100, metadata={"Software": "musegen"})


def table(findings: Sequence[Finding]) -> str:
    """The lines of one protocol, with a column for each figure that any of them has."""
    names = list(dict.fromkeys(name for each in findings for name in each.figures))
    header = ["system", "parameters", *names, "training, minutes", "date", "again", "note"]
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    for each in findings:
        cells = [
            each.system,
            f"{each.parameters:,}" if each.parameters else "",
            *(shown(each.figures.get(name)) for name in names),
            "" if each.minutes is None else f"{each.minutes:.1f}",
            each.date or "*cited, not run*",
            f"`{each.command}`" if each.command else "",
            each.note,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def of(findings: Sequence[Finding], protocol: str) -> list[Finding]:
    """Those of one protocol."""
    return [each for each in findings if each.protocol == protocol]


def shown(value: float | None) -> str:
    """A figure with as many digits as it deserves."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


PANELS = (
    ("P1", "test", "JSB chorales: nats per note, test"),
    ("P4", "test", "Nottingham melodies: nats per step, test"),
    ("P5", "nats per token", "Harmonizing: nats per token, test"),
    ("own bach", "test", "bach: nats per quarter, test"),
    ("own celtic", "test", "celtic: nats per quarter, test"),
    ("P6", "parallel fifths per 1000", "Parallel fifths per 1000 pairs that move together"),
)


def draw(findings: Sequence[Finding]) -> Figure:
    """Bars, shorter is better; grey for others, hatched where cited, coloured for ours.

    Even chances, which learn nothing, would dwarf all others and are left out.
    """
    from matplotlib.figure import Figure

    learnt = [each for each in findings if each.parameters != 0]
    panels = [
        (title, rows)
        for protocol, name, title in PANELS
        if (rows := [(each, each.figures[name]) for each in of(learnt, protocol) if name in each.figures])
    ]
    heights = [1 + len(rows) for _, rows in panels]
    figure = Figure(figsize=(9, 0.28 * sum(heights) + 0.4 * len(heights)), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, (title, rows) in zip(grid[:, 0], panels, strict=True):
        _bars(axes, title, rows)
    return figure


def _bars(axes: Axes, title: str, rows: Sequence[tuple[Finding, float]]) -> None:
    for place, (each, value) in enumerate(rows):
        ours = each.system.startswith("musegen")
        colour = "tab:red" if ours else "lightgrey" if each.cited else "grey"
        axes.barh(place, value, color=colour, hatch="//" if each.cited else "", edgecolor="white")
        axes.text(value, place, f" {shown(value)}", va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [each.system for each, _ in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=9, loc="left")
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_xticks([])
