"""How a piece was made, as plain data: enough for `musegen replay` to make it again, wherever that is.

A recipe is the command's name, its arguments with everything settled, and the files it read. A verb records it, and it
goes into the provenance of each piece, beside the model's name and hash:

    how = drawing.sampling(trained.family.temperature)
    made = recipe.record(how, Input.of("melody", melody, data))

It holds no path of the machine it was recorded on, and depends on nothing but what decides the notes, so that a piece
made again carries the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import operator
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.models.base import Sampling

VERBS = ("sample", "continue", "harmonize", "infill", "vary", "interpolate")
"""The commands that record how they made a piece; no other is ever run for a piece's sake."""
MODELS = ("checkpoint", "model")
"""What the parameter is called that names the model; the provenance holds its name and hash already."""
ELSEWHERE = (*MODELS, "target", "overwrite", "suffix", "as_json")
"""Parameters that a recipe leaves out: they decide where a piece goes, not what it is."""
STDIN = "stdin"
"""What stands for a file's name where there was a pipe."""
EMBEDDED = 64 * 2**10
"""Bytes of a file that travels inside the piece; a larger one is named there, with its hash."""
PACKED = "musegen.packed"
"""Where click's context keeps files as they were packed, by hash: another zlib may pack the same bytes otherwise."""


@dataclass(frozen=True)
class Input:
    """A file that a command read.

    Attributes:
        parameter: of the command, that named it.
        name: without its folders; `STDIN` for what came through a pipe.
        sha256: of its contents, in hexadecimal.
        data: its contents; None when they are not known, only to be looked for.
    """

    parameter: str
    name: str
    sha256: str
    data: bytes | None = None

    @classmethod
    def of(cls, parameter: str, source: str, data: bytes) -> Input:
        """What was read.

        Args:
            parameter: of the command.
            source: its value: a path, or `-` for stdin.
            data: the contents.
        """
        name = STDIN if source == "-" else Path(source).name.replace("\\", "_")
        return cls(parameter, name, hashlib.sha256(data).hexdigest(), data)

    def facts(self, packed: Mapping[str, str]) -> dict[str, str]:
        """As plain data; contents up to `EMBEDDED` bytes are packed with zlib and written in base64.

        Args:
            packed: contents that are packed already, by hash.
        """
        facts = {"for": self.parameter, "name": self.name, "sha256": self.sha256}
        if self.data is not None and len(self.data) <= EMBEDDED:
            facts["data"] = packed.get(self.sha256) or base64.b64encode(zlib.compress(self.data, 9)).decode()
        return facts

    @classmethod
    def from_facts(cls, facts: Mapping[str, str]) -> Input:
        """Read plain data that nobody vouches for.

        Raises:
            ValueError: it makes no sense, or its contents do not have its hash.
        """
        read = cls(base_name(facts["for"]), base_name(facts["name"]), str(facts["sha256"]))
        if "data" not in facts:
            return read
        unpacker = zlib.decompressobj()
        try:
            data = unpacker.decompress(base64.b64decode(facts["data"], validate=True), EMBEDDED + 1)
        except zlib.error as error:
            raise ValueError(f"{read.name} cannot be unpacked") from error
        if not unpacker.eof or hashlib.sha256(data).hexdigest() != read.sha256:
            raise ValueError(f"{read.name} was altered")
        return cls(read.parameter, read.name, read.sha256, data)


@dataclass(frozen=True)
class Recipe:
    """How pieces were made.

    Attributes:
        command: its name.
        arguments: parameter -> number, text, truth value, or a list of those; files and the model are not among them.
        inputs: the files it read.
        pieces: how many the file holds that carries the recipe.
        packed: contents of inputs that are packed already, by hash.
    """

    command: str
    arguments: Mapping[str, Any]
    inputs: tuple[Input, ...] = ()
    pieces: int = 1
    packed: Mapping[str, str] | None = None

    def for_piece(self, number: int, pieces: int = 1) -> dict[str, Any]:
        """What the provenance of one file says.

        A command with `--start` makes any piece of a series by itself: those of the other files are left out.

        Args:
            number: of the piece, or of the first one.
            pieces: how many pieces the file holds.
        """
        series = {"count": pieces, "start": number} if "start" in self.arguments else {}
        facts: dict[str, Any] = {"command": self.command, "arguments": {**self.arguments, **series}}
        if self.inputs:
            facts["inputs"] = [each.facts(self.packed or {}) for each in self.inputs]
        return facts | ({"pieces": pieces} if pieces > 1 else {})

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Recipe:
        """Read a provenance that nobody vouches for.

        Raises:
            MusegenError: it says nothing of a command, or makes no sense.
        """
        if "command" not in facts:
            raise MusegenError("its provenance does not say how it was made", "Only pieces of newer versions do.")
        try:
            inputs = tuple(Input.from_facts(each) for each in facts.get("inputs", ()))
            packed = {each["sha256"]: each["data"] for each in facts.get("inputs", ()) if "data" in each}
            pieces = operator.index(facts.get("pieces", 1))
            made = cls(facts["command"], dict(facts["arguments"]), inputs, pieces, packed)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise damaged(error) from error
        if made.command not in VERBS:
            raise damaged(f"{made.command!r} composes nothing")
        return made

    def words(self, command: click.Command, model: str, inputs: Sequence[str]) -> list[str]:
        """The command line that makes the pieces, without the command's name and what says where they go.

        Args:
            command: the one that is named.
            model: path of the model.
            inputs: paths of `self.inputs`, in their order.

        Raises:
            MusegenError: the command takes no such arguments.
        """
        given = dict(self.arguments)
        files = [each.parameter for each in self.inputs]
        for parameter in command.params:
            name = str(parameter.name)
            if name in given and (name in ELSEWHERE or isinstance(parameter.type, click.Path)):
                raise damaged(f"{name} does not belong there")
            paths = [path for file, path in zip(files, inputs, strict=True) if file == name]
            if paths:
                given[name] = paths if _many(parameter) else paths[0]
            elif name in MODELS:
                given[name] = model
        options: list[str] = []
        arguments: list[str] = []
        for parameter in command.params:
            value = given.pop(str(parameter.name), None)
            if isinstance(parameter, click.Option):
                options += _option(parameter, value)
            elif value is not None:
                arguments += map(str, _listed(value) if _many(parameter) else [value])
        if given:
            raise damaged(f"{self.command} takes no {next(iter(given))!r}")
        return [*options, "--", *arguments]


def record(how: Sampling, *inputs: Input) -> Recipe:
    """How the command that runs makes its pieces; to be called inside it.

    Whatever the command was given is kept, as it stands in click's context. A value that is no number or text is kept
    as `str` writes it, which the option must take: `Key` and `Metre` do so.

    Args:
        how: the seed and temperature that were settled on.
        inputs: every file that the command read, but the model.

    Raises:
        TypeError: an argument names a file that is not among the inputs.
    """
    context = click.get_current_context()
    settled = {"seed": how.seed, "temperature": how.temperature}
    files = {each.parameter for each in inputs}
    arguments: dict[str, Any] = {}
    for parameter in context.command.params:
        name = str(parameter.name)
        value = settled[name] if name in settled else context.params.get(name)
        if name in ELSEWHERE or name in files or value is None or value == ():
            continue
        if isinstance(parameter.type, click.Path):
            raise TypeError(f"{name} names a file, which belongs to the recipe")
        if value is not False or parameter.secondary_opts:  # a switch that was not thrown says nothing
            arguments[name] = _plain(value)
    return Recipe(str(context.command.name), arguments, inputs, packed=context.meta.get(PACKED))


def damaged(why: object) -> MusegenError:
    """The error that a provenance makes no sense."""
    return MusegenError(f"its provenance is damaged: {why}", "It cannot be replayed.")


def base_name(text: object) -> str:
    """A file's name out of data that nobody vouches for.

    Raises:
        ValueError: it is none, or leads into another folder.
    """
    if not isinstance(text, str) or text in ("", ".", "..") or any(each in text for each in "/\\\0"):
        raise ValueError(f"{text!r} is not a file's name")
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else str(value)


def _many(parameter: click.Parameter) -> bool:
    """Whether its value is a list."""
    return parameter.nargs != 1 or bool(parameter.multiple)


def _option(option: click.Option, value: Any) -> list[str]:
    """An option as words; its long name and value are one word, so that a value may begin with a hyphen."""
    name = max(option.opts, key=len)
    if value is None:
        return []
    if option.is_flag:
        return [name] if value else [max(option.secondary_opts, key=len)] if option.secondary_opts else []
    times = _listed(value) if option.multiple else [value]
    if option.nargs == 1:
        return [f"{name}={each}" for each in times]
    return [word for each in times for word in (name, *map(str, _listed(each)))]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
