"""What the verbs that compose may be asked besides: options that become one set of constraints."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli.recipe import Input
from musegen.cli.talk import talk
from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.composing import Piece
    from musegen.representation.constraints import Constraints

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("scale", "SCALE", "Only notes of it: 'D dorian', 'A harmonic minor', 'C major pentatonic', or 'C D E G A'."),
    ("range", "[VOICE:]LOW-HIGH", "Lowest and highest note, A3-A5 or soprano:C4-G5; may be repeated."),
    ("note", "[VOICE@]BAR:BEAT=NOTE", "A note or rest that begins there, soprano@3:1=C5 or 3:2.5=rest; repeatable."),
    ("chords", "CHORDS", "One a bar, 'C G/B Am F', or in beats, 'C:2 G7:2'; % repeats, N.C. leaves free."),
    ("leap", "SEMITONES", "Largest interval from note to note of a voice."),
    ("shortest", "LENGTH", "Shortest note, as a fraction of a whole one: 1/8, or dotted, 1/4."),
    ("longest", "LENGTH", "Longest note, alike."),
    ("begin", "tonic", "Begin on the tonic, the upper voices on its triad."),
    ("end", "tonic|cadence", "End on the tonic chord in the last bar; a cadence comes from the dominant."),
    ("form", "FORM", "Sections that repeat: AABA; a prime leaves the last bar free: \"AA'BA'\"."),
)


def steering(command: F) -> F:
    """Add `--constraints FILE` and an option for each kind; the command gets `constraints: Constraints`.

    An option replaces what the file says of the same kind; of a range, of the same voice, and of a note, of the same
    place. What does not follow the syntax is misuse of an option, and an error of the file.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, file: str | None, **others: Any) -> Any:
        from musegen.representation.constraints import Constraints, read_constraints

        asked = Constraints.of({kind: others.pop(kind) for kind, _, _ in _OPTIONS})
        if "keep" in others:
            asked = asked.with_(Constraints.of({"keep": others.pop("keep")}))
        constraints = read_constraints(file).with_(asked) if file else asked
        return command(*args, constraints=constraints, **others)

    for kind, metavar, text in reversed(_OPTIONS):
        multiple = kind in ("range", "note")
        wrapped = click.option(f"--{kind}", metavar=metavar, multiple=multiple, callback=_checked, help=text)(wrapped)
    return click.option(
        "--constraints",
        "file",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="TOML file with any of the following, by their names.",
    )(wrapped)  # type: ignore[return-value]


def files() -> list[Input]:
    """The file of constraints, if the command that runs was given one, as its recipe keeps it."""
    path = click.get_current_context().params.get("file")
    return [Input.of("file", path, Path(path).read_bytes())] if path else []


def facts(constraints: Constraints) -> Callable[[Piece], dict[str, Any]]:
    """What a command says of how a piece kept to what was asked: the share of chord tones, where there are chords."""

    def found(piece: Piece) -> dict[str, Any]:
        from musegen.representation.constraints import chord_share

        if not constraints.chords:
            return {}
        on_beats, of_all = chord_share(piece.roll, constraints.chords)
        talk(f"piece {piece.number}: {100 * on_beats:.0f} % chord tones on the beats, {100 * of_all:.0f} % of all")
        return {"chord_tones_on_beats": round(on_beats, 4), "chord_tones": round(of_all, 4)}

    return found


def keeping(command: F) -> F:
    """Add `--keep`, below `steering`, which takes it into its `constraints`."""
    return click.option(
        "--keep",
        type=click.Choice(["rhythm", "pitches"]),
        help="Of what is rewritten, keep where notes and rests begin, or the order of each voice's pitches.",
    )(command)


def _checked(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """Refuse, as misuse, what does not follow the syntax."""
    from musegen.representation.constraints import Constraints

    kind = _parameter.name or ""
    try:
        Constraints.of({kind: value})
    except MusegenError as error:
        raise click.BadParameter(str(error)) from error
    return value
