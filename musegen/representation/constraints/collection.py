"""All that is asked of a piece at once, from options or as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from musegen.errors import MusegenError
from musegen.representation.constraints.base import Constraint, Sheet
from musegen.representation.constraints.chords import Chords
from musegen.representation.constraints.form import Form, Keep
from musegen.representation.constraints.lines import Begin, End, LargestLeap, Longest, Shortest
from musegen.representation.constraints.pitches import PlacedNote, Range, Scale
from musegen.representation.roll import Roll
from musegen.representation.template import Template

KINDS: dict[str, type[Constraint]] = {
    kind.kind: kind
    for kind in (Scale, Range, PlacedNote, Chords, LargestLeap, Shortest, Longest, Begin, End, Form, Keep)
}
"""Every kind by its name, which is that of its option and of its key in a file."""

REPEATED = ("range", "note")
"""Kinds of which there may be several, one for each voice or place."""


@dataclass(frozen=True)
class Constraints:
    """Demands on a piece, at most one of a kind and place.

    Attributes:
        items: in the order of `KINDS`.
    """

    items: tuple[Constraint, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.items)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Constraints:
        """Read options, or what `to_json` wrote.

        Args:
            options: kind -> its text or number, or several of them; None and nothing at all leave it out. Of two of
                the same kind and place the later counts.

        Raises:
            MusegenError: there is no such kind, or a text does not follow its syntax.
        """
        found = []
        for kind, value in options.items():
            if kind not in KINDS:
                raise MusegenError(f"there is no constraint {kind!r}", f"Choose from {', '.join(KINDS)}.")
            texts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
            found += [KINDS[kind](str(text).strip()) for text in texts if text is not None]
        return cls._ordered(found)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Constraints:
        """The inverse of `to_json`."""
        return cls.of(data)

    def to_json(self) -> dict[str, str | list[str]]:
        """Plain data: kind -> text, or a list of them where there may be several."""
        data: dict[str, str | list[str]] = {}
        for item in self.items:
            if item.kind in REPEATED:
                data[item.kind] = [*data.get(item.kind, []), item.text]
            else:
                data[item.kind] = item.text
        return data

    def with_(self, others: Constraints) -> Constraints:
        """These and others, which replace those of the same kind and, of ranges and notes, the same place."""
        return self._ordered([*self.items, *others.items])

    def describe(self) -> list[str]:
        """Each as an option, such as `--range soprano:C4-G5`."""
        return [item.describe() for item in self.items]

    @property
    def chords(self) -> Chords | None:
        """The progression, if one is asked for; see `chord_share`."""
        return next((item for item in self.items if isinstance(item, Chords)), None)

    def sheet(self, template: Template, names: Sequence[str] = (), original: Roll | None = None) -> Sheet:
        """Everything written onto a template, whether or not it can be met; see `apply`."""
        sheet = Sheet(template, names, original, self.items)
        for item in self.items:
            item.write(sheet)
        return sheet

    def apply(self, template: Template, names: Sequence[str] = (), original: Roll | None = None) -> Template:
        """Narrow what a template leaves open; what is fixed is never judged.

        Args:
            template: as the verb made it.
            names: of the model's voices, by which constraints call them; the roll's own when empty.
            original: the piece that the holes were cut into; `keep` needs it.

        Raises:
            MusegenError: something does not fit the piece, or an open cell has no symbol left; see `check` for what
                cannot be met for other reasons.
        """
        if not self.items:
            return template
        sheet = self.sheet(template, names, original)
        if sheet.stuck():
            from musegen.representation.constraints.clashes import check

            check(template, self, names, original)
        return sheet.finished()

    @classmethod
    def _ordered(cls, items: Sequence[Constraint]) -> Constraints:
        latest = {(item.kind, item.place): item for item in items}
        order = list(KINDS)
        return cls(tuple(sorted(latest.values(), key=lambda item: order.index(item.kind))))
