"""A trained model as one file: all that is needed to compose with it, and where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from musegen.errors import MusegenError
from musegen.models import family
from musegen.models.base import Arrays, Composer, Family, Settings
from musegen.models.plans import Plan, Plans
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import REST, Roll
from musegen.shipped import home, shipped
from musegen.storage import load, load_header, save

if TYPE_CHECKING:
    from musegen.models.network import Network

SUFFIX = ".safetensors"
_MELODY = "melody/"
"""How the names of arrays begin that hold a melody's symbols."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model.

    Attributes:
        family: its name in the table.
        settings: it was built with.
        vocabulary: voices, ranges, grid.
        plans: lengths, metres and keys of the training pieces.
        names: of the voices.
        programs: General MIDI instruments of the voices.
        card: corpus, figures, seed, command, versions: plain data, for people.
        weights: by torch's names.
        melodies: held-out pieces whose given voices a family that needs a melody composes under; empty for others.
        path: where it was read from.
    """

    family: Family
    settings: Settings
    vocabulary: Vocabulary
    plans: Plans
    names: tuple[str, ...]
    programs: tuple[int | None, ...]
    card: Mapping[str, Any]
    weights: Arrays
    melodies: tuple[Roll, ...] = ()
    path: Path | None = None

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem if self.path else self.family.name

    @cached_property
    def hash(self) -> str:
        """Of the weights; the same model has the same hash, whatever its file is called."""
        digest = hashlib.blake2b(digest_size=8)
        for name, array in sorted(self.weights.items()):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def composer(self) -> Composer:
        """The model, ready to compose; needs no torch. Weights are computed with in double precision.

        Raises:
            MusegenError: its weights are those of another version of its family.
        """
        weights = {
            name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in self.weights.items()
        }
        try:
            return self.family.composer(self.vocabulary, self.settings, weights)
        except (KeyError, ValueError, IndexError) as error:
            raise self._of_another_version() from error

    def network(self) -> Network:
        """The model as a torch module, to learn on with. Loads torch.

        Raises:
            MusegenError: its weights are those of another version of its family.
        """
        import torch

        network = self.family.network(self.vocabulary, self.settings)
        try:
            with torch.no_grad():
                for name, parameter in network.named_parameters():
                    parameter.copy_(torch.from_numpy(self.weights[name].astype(np.float32)))
        except (KeyError, RuntimeError) as error:
            raise self._of_another_version() from error
        return network.eval()

    def _of_another_version(self) -> MusegenError:
        return MusegenError(f"{self.name} was trained with another version of musegen", "Train it again.")

    def frame(self) -> Roll:
        """An empty roll with the voices that this model writes."""
        empty = np.full((0, self.vocabulary.voices), REST, np.uint8)
        return Roll(empty, self.vocabulary.steps_per_quarter, names=self.names, programs=self.programs)

    def save(self, path: Path, half: bool = False, overwrite: bool = False) -> None:
        """Write it, whole or not at all.

        Args:
            path: where to.
            half: whether weights are rounded to half precision, for a file of half the size.
            overwrite: whether a file may be replaced.

        Raises:
            MusegenError: it cannot be written.
        """
        header = {
            "family": self.family.name,
            "settings": asdict(self.settings),
            "vocabulary": self.vocabulary.to_json(),
            "plans": [[*plan.to_json(), count] for plan, count in self.plans],
            "names": list(self.names),
            "programs": list(self.programs),
            "card": dict(self.card),
            "melodies": [[roll.title, *plan.to_json()] for roll in self.melodies if (plan := Plan.of(roll))],
        }
        arrays: Arrays = {f"{_MELODY}{i}": roll.symbols for i, roll in enumerate(self.melodies)}
        for name, array in self.weights.items():
            arrays[name] = array.astype(np.float16 if half else np.float32) if array.dtype.kind == "f" else array
        save(path, "checkpoint", header, arrays, overwrite)


def load_checkpoint(name: str | Path) -> Checkpoint:
    """Read a trained model.

    Args:
        name: a file, or the name of a model at hand (the user's own first, then the shipped ones).

    Raises:
        MusegenError: there is none, or the file is not whole.
    """
    path = find(name)
    stored = load(path, "checkpoint")
    header = stored.header
    try:
        kind = family(header["family"])
        model = Checkpoint(
            kind,
            kind.settings.of(header["settings"]),
            Vocabulary.from_json(header["vocabulary"]),
            tuple((Plan.from_json(plan), int(count)) for *plan, count in header["plans"]),
            tuple(header["names"]),
            tuple(header["programs"]),
            header["card"],
            {name: array for name, array in stored.arrays.items() if not name.startswith(_MELODY)},
            path=path,
        )
        melodies = []
        for i, (title, *plan) in enumerate(header["melodies"]):
            framed = Plan.from_json(plan).template(model.frame()).roll
            melodies.append(replace(framed, symbols=stored.arrays[f"{_MELODY}{i}"], title=title))
        return replace(model, melodies=tuple(melodies))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MusegenError(f"{path} is not a model that this musegen knows: {error!r}", "Train it again.") from error


def find(name: str | Path) -> Path:
    """Where a model lies.

    Raises:
        MusegenError: there is no such file and no model of this name.
    """
    at_hand, path = available(), Path(name)
    if str(name) in at_hand:  # `./bach-lstm` is a file, `bach-lstm` the model, as with corpora
        return at_hand[str(name)]
    if path.exists():
        return path
    if path.suffix == SUFFIX or len(path.parts) > 1:
        raise MusegenError(f"{path}: there is no such file", "Name a model from `musegen models`, or a file.")
    raise MusegenError(f"no model is called {name}", f"At hand: {', '.join(at_hand) or 'none'}. Or name a file.")


def available() -> dict[str, Path]:
    """Models by name; the user's own hide shipped ones of the same name."""
    folders = [home("checkpoints")]
    with suppress(MusegenError):  # an installation without models still has the user's own
        folders.insert(0, shipped("checkpoints"))
    return {path.stem: path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))}


def read_card(path: Path) -> dict[str, Any]:
    """A model's header without its weights: family, settings and card.

    Raises:
        MusegenError: it is not a checkpoint.
    """
    return load_header(path, "checkpoint")
