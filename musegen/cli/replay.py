"""`musegen replay`: make a piece again from its provenance, and compare."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

import musegen
from musegen.cli import options
from musegen.cli.music import SOURCE, is_text, take
from musegen.cli.output import Output, print_path
from musegen.cli.recipe import PACKED, STDIN, Input, Recipe, base_name, damaged
from musegen.cli.talk import talk
from musegen.errors import MusegenError
from musegen.formats import Format, guess, printable, provenance, read_bytes
from musegen.score import Score, Voice


@click.command()
@click.argument("piece", type=SOURCE)
@options.output("File or folder to write the piece to as it was made again; - is stdout.", required=False)
@click.option("--model", metavar="MODEL", help="Name or file of the model, where it is not at hand under its name.")
@click.option(
    "--input", "files", type=click.Path(exists=True, dir_okay=False), metavar="FILE", multiple=True,
    help="A file that the piece was made from, where it cannot be found by its name; may be given again.",
)  # fmt: skip
@options.quiet
def replay(*, piece: str, output: Output, model: str | None, files: tuple[str, ...]) -> None:
    """Make PIECE again, a file that musegen wrote or - for stdin, and see whether it comes out byte for byte.

    A piece says of itself which command made it, from what, with which model and which seed. What it was made from
    travels inside it, up to 64 KiB a file; larger files are looked for by their names, beside the piece and in the
    current folder, and so is a model that is not at hand.

    The exit code is 0 when every byte is the same. Otherwise it is 1, and a line says what is missing or differs; a
    piece that came out otherwise (the notes of PIECE were changed, say) is written to OUT all the same.

    \b
    Examples:
      musegen sample celtic-lstm --seed 4 -o reel.mid
      musegen replay reel.mid
      musegen harmonize hymn.mid --seed 4 -o - | musegen replay - -o again.mid
    """
    label = "stdin" if piece == "-" else printable(piece)
    data = take(piece)
    if not data:
        raise MusegenError(f"{label} is empty", "Give a file that musegen wrote.")
    form = guess(data, label)
    beside = Path.cwd() if piece == "-" else Path(piece).absolute().parent
    try:
        facts, made = _provenance(data, form)
        found = _model(facts, model, beside)
        made = replace(made, inputs=_inputs(made, files, beside))
        again = _compose(made, facts, form, found)
        different = "" if again == data else _difference(data, again, form)
    except MusegenError as error:
        raise MusegenError(f"{label}: {error.args[0]}", error.hint) from error
    if output.is_folder:
        output = output.inside(f"{'stdin' if piece == '-' else Path(piece).stem}{form.suffixes[0]}")
        output.write(again)
        print_path(output.path)
    elif output.name:
        output.write(again, text=is_text(form))
    if different:
        raise MusegenError(f"{label} differs from what its provenance makes: {different}")
    talk(f"{label}: the same, byte for byte ({made.command}, {facts['model']}, seed {facts.get('seed')})")


def _provenance(data: bytes, form: Format) -> tuple[dict[str, Any], Recipe]:
    """What a file says of itself."""
    facts = provenance.find(data, form)
    if facts is None or "musegen" not in facts:
        raise MusegenError("it does not say where it comes from", "Only what musegen composed can be replayed.")
    if facts["musegen"] != musegen.__version__:
        raise MusegenError(
            f"it was made by musegen {facts['musegen']}, and this is {musegen.__version__}",
            "Replay it with the version that made it.",
        )
    return facts, Recipe.from_facts(facts)


def _model(facts: Mapping[str, Any], given: str | None, beside: Path) -> Path:
    """Where the model lies that made a piece, by its name and the hash of its weights."""
    from musegen.checkpoints import SUFFIX, available, find, load_checkpoint

    try:
        name, wanted = base_name(facts["model"]), facts["hash"]
    except (KeyError, ValueError) as error:
        raise damaged(error) from error
    places = [folder / f"{name}{SUFFIX}" for folder in (beside, Path.cwd())]
    if given:
        places = [find(given)]
    elif name in (at_hand := available()):
        places.insert(0, at_hand[name])
    there = [place.absolute() for place in places if place.is_file()]
    if not there:
        raise MusegenError(f"the model {name} is not at hand", "Name it or its file with --model.")
    hashes = [load_checkpoint(place).hash for place in there]
    if wanted not in hashes:
        raise MusegenError(
            f"the model {name} is another one: its hash is {hashes[0]}, and {wanted} made the piece",
            "Name the right one with --model.",
        )
    return there[hashes.index(wanted)]


def _inputs(made: Recipe, given: Sequence[str], beside: Path) -> tuple[Input, ...]:
    """The files that a piece was made from, contents and all."""
    contents = [(file, take(file)) for file in given]
    hashes = {each.sha256 for each in made.inputs}
    for file, data in contents:
        if Input.of("", file, data).sha256 not in hashes:
            names = ", ".join(each.name for each in made.inputs) or "nothing but the model"
            raise MusegenError(f"{file} is not what it was made from ({names})", "Leave out this --input.")
    return tuple(_found(each, [data for _, data in contents], beside, made.command) for each in made.inputs)


def _found(wanted: Input, given: Sequence[bytes], beside: Path, command: str) -> Input:
    if wanted.data is not None:
        return wanted
    places = [folder / wanted.name for folder in (beside, Path.cwd())]
    there = [*given, *(take(str(place)) for place in places if place.is_file())]
    for data in there:
        if Input.of(wanted.parameter, wanted.name, data).sha256 == wanted.sha256:
            return replace(wanted, data=data)
    if len(there) > len(given):
        reason = f"{wanted.name} has changed since {command} read it"
    else:
        reason = f"{wanted.name}, which {command} read, is not at hand"
    raise MusegenError(reason, "Name the file as it was with --input.")


def _compose(made: Recipe, facts: Mapping[str, Any], form: Format, model: Path) -> bytes:
    """Run the command that made a piece, in a folder of its own."""
    from musegen.cli import cli

    with TemporaryDirectory(prefix="musegen-") as name:
        folder = Path(name)
        staged = folder / "model" / f"{facts['model']}{model.suffix}"  # what it is called stands in the piece's title
        staged.parent.mkdir()
        try:
            staged.symlink_to(model)
        except OSError:  # a system without them
            shutil.copyfile(model, staged)
        files, piped = [], b""
        for number, each in enumerate(made.inputs):
            if each.name == STDIN:
                piped = each.data or b""
                files.append("-")
                continue
            file = folder / f"input-{number}" / each.name
            file.parent.mkdir()
            file.write_bytes(each.data or b"")
            files.append(str(file))
        # One piece of a series may need the whole series made, so all go into a folder; a book is one file.
        target = folder / ("book.abc" if made.pieces != 1 else "pieces")
        command = cli.commands[made.command]
        words = ["--output", str(target) if made.pieces != 1 else f"{target}/", "--to", form.suffixes[0][1:], "--quiet"]
        try:
            words += made.words(command, str(staged), files)
            names = click.get_current_context().help_option_names  # click keeps the help option of its first context
            with _pipes(piped), command.make_context(made.command, words, help_option_names=names) as context:
                context.meta[PACKED] = made.packed
                command.invoke(context)
        except click.ClickException as error:
            raise damaged(error.format_message()) from error
        if made.pieces != 1:
            return target.read_bytes()
        for path in target.iterdir():
            written = path.read_bytes()
            if (provenance.find(written, form) or {}).get("piece") == facts.get("piece"):
                return written
        raise damaged(f"{made.command} makes no piece {facts.get('piece')}")


@contextmanager
def _pipes(data: bytes) -> Iterator[None]:
    """Let a command read `data` from stdin, and print into nothing."""
    before = sys.stdin, sys.stdout
    sys.stdin, sys.stdout = (io.TextIOWrapper(io.BytesIO(each), "utf-8") for each in (data, b""))
    try:
        yield
    finally:
        sys.stdin, sys.stdout = before


def _difference(one: bytes, other: bytes, form: Format) -> str:
    """Where the music of two files differs first: by time, then by voice."""
    scores = read_bytes(one, form, "it").scores
    others = read_bytes(other, form, "what was made again").scores
    if len(scores) != len(others):
        return f"it holds {len(scores)} pieces instead of {len(others)}"
    for number, pair in enumerate(zip(scores, others, strict=True), 1):
        reason = _first_note(*pair) or _first_fact(*pair)
        if reason:
            return f"piece {number}: {reason}" if len(scores) > 1 else reason
    return "the music is the same, but it is not written in the same bytes"


def _first_note(one: Score, other: Score) -> str:
    places = []
    for number, voices in enumerate(zip_longest(one.voices, other.voices, fillvalue=Voice(())), 1):
        lines = [[(note.onset, note.duration, note.pitch) for note in voice.notes] for voice in voices]
        for notes in zip_longest(*lines):
            if notes[0] != notes[1]:
                places.append((min(note[0] for note in notes if note), number, voices[1].name or voices[0].name))
                break
    if not places:
        return ""
    onset, number, name = min(places)
    score = one if onset < one.duration else other
    return f"the notes from {score.place(onset)} on, first in voice {number}{f' ({name})' if name else ''}"


def _first_fact(one: Score, other: Score) -> str:
    for name in ("metres", "pickup", "keys", "tempi", "title", "composer", "duration"):
        if getattr(one, name) != getattr(other, name):
            return f"the {name} (the notes are the same)"
    return ""
