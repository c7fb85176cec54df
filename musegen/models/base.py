"""What every model family is: how it learns from rolls, and how it fills a template."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.template import Template
from musegen.representation.transposition import room

if TYPE_CHECKING:
    from musegen.models.network import Network

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Settings:
    """What can be chosen with `--set`; each family adds its own.

    Attributes:
        epochs: passes over the training music at most, unless `--epochs` or `--minutes` says otherwise.
        batch: pieces per step of the optimiser.
        learning_rate: at its highest; it rises over the first steps and falls along a cosine.
        weight_decay: of AdamW, as a share of the learning rate.
        patience: epochs without a better held-out loss before training stops.
        averaging: how slowly the averaged weights, which are the ones kept, follow the trained ones.
        transpose: semitones up or down that training music is moved at most, within the voices' ranges.
    """

    epochs: int = 60
    batch: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    patience: int = 8
    averaging: float = 0.998
    transpose: int = 12

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from names and values; values may be text, as on a command line.

        Raises:
            MusegenError: a setting is unknown, or its value is not of its type or not positive.
        """
        fields: dict[str, type] = {field.name: type(field.default) for field in dataclasses.fields(cls)}
        parsed: dict[str, Any] = {}
        for name, value in values.items():
            if name not in fields:
                raise MusegenError(f"there is no setting {name!r}", f"Choose from: {', '.join(fields)}.")
            kind = fields[name]
            try:
                parsed[name] = kind(value)
            except (TypeError, ValueError):
                wanted = "a whole number" if kind is int else "a number"
                raise MusegenError(f"{name} = {value!r} is not {wanted}") from None
            if not 0 <= parsed[name] < 1e9:  # NaN is neither
                raise MusegenError(f"{name} = {value} is out of range", "Use a number from 0 up.")
        settings = cls(**parsed)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what cannot work.

        Raises:
            MusegenError: a value is out of its range.
        """
        for name in ("epochs", "batch", "learning_rate", "patience"):
            if getattr(self, name) <= 0:
                raise MusegenError(f"{name} must be above 0")
        if not self.averaging < 1:
            raise MusegenError("averaging must be below 1")


@dataclass(frozen=True)
class Example:
    """A piece, or a passage of one, ready for learning.

    Attributes:
        arrays: what the family made of it, in its original key.
        cells: steps times voices that are predicted; the divisor of every loss.
        size: what it costs to compute; examples of like size are batched together.
        room: transpositions that keep the voices within the corpus's ranges.
    """

    arrays: Arrays
    cells: int
    size: int
    room: range


class Composer(ABC):
    """A trained model that fills templates, without torch."""

    @abstractmethod
    def fill(self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int]) -> list[Filling]:
        """Fill each template.

        Args:
            templates: one for each piece.
            how: temperature and the like, and the seed.
            pieces: the number of each piece. Its notes depend on the seed, on this number and on its template alone,
                never on which pieces are filled with it.

        Raises:
            MusegenError: this model cannot fill such a template.
        """

    def surprise(self, rolls: Sequence[Roll], seed: int = 1) -> list[Surprise]:
        """How likely each cell of whole pieces is, given all that was written before it, and the frame.

        "Before" is in time, and within a step in an order of the model's choice.

        Args:
            rolls: with the model's voices and grid, each at least one step long.
            seed: of a model that needs random numbers for it.

        Raises:
            MusegenError: a pitch lies outside the vocabulary, or this model has no likelihood.
        """
        raise MusegenError("a model of this family has no likelihood", "Compare what it writes with real music.")


@dataclass(frozen=True)
class Sampling:
    """How symbols are drawn.

    Attributes:
        seed: of the random numbers.
        temperature: 0 takes the likeliest; below 1 is safer, above 1 bolder.
        top_k: only so many of the likeliest; 0 for all.
        top_p: only the likeliest that together have this probability; 1 for all.
        particles: versions that a left-to-right model writes side by side where anything is fixed or asked of a piece.
        code: of a model with a latent space, what every piece is composed under; None draws one for each.
        toward: what is added to the code, chosen or drawn; empty for nothing.
    """

    seed: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    particles: int = 1
    code: tuple[float, ...] | None = None
    toward: tuple[float, ...] = ()

    def generator(self, piece: int, stream: int = 0) -> np.random.Generator:
        """The random numbers of one piece of this seed; streams are for different uses, and independent."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, piece, stream])))


@dataclass(frozen=True)
class Filling:
    """A filled template.

    Attributes:
        roll: the piece.
        nats: how surprised the model is by the piece, before temperature; None where it cannot say.
        cells: that this is about, where that is not all of them.
    """

    roll: Roll
    nats: float | None = None
    cells: int | None = None


@dataclass(frozen=True, eq=False)
class Surprise:
    """What a model makes of a piece that it is shown.

    Attributes:
        nats: (steps, voices) minus the logarithm of the probability of each cell's symbol, given all that was written
            before it; 0 in voices that must be given.
        best: (steps, voices) uint8, the symbol that was likeliest there.
        hidden: nats that belong to no cell, such as the divergence of a VAE, whose sum with the others is a bound.
    """

    nats: NDArray[np.float64]
    best: NDArray[np.uint8]
    hidden: float = 0.0


def as_written(best: NDArray[np.uint8], roll: Roll) -> NDArray[np.uint8]:
    """(steps, voices) likeliest symbols as rolls write them: a hold where nothing sounded before is a `REST`."""
    before = np.concatenate([np.full((1, roll.voices), REST, np.uint8), roll.sounding()[:-1]])
    return np.where((best == HOLD) & (before == REST), np.uint8(REST), best)


class Family(ABC):
    """One way of composing. Adding one: a module in `musegen/models/` and a line in `FAMILIES`."""

    name: ClassVar[str]
    title: ClassVar[str]
    year: ClassVar[int]
    paper: ClassVar[str]
    settings: ClassVar[type[Settings]]
    measure: ClassVar[str] = "nats per note"
    """What its loss is."""
    temperature: ClassVar[float] = 1.0
    """Unless asked for another."""
    given_voices: ClassVar[tuple[int, ...]] = ()
    """Voices, from 0, that must be given; a family without any composes from nothing."""

    def check(self, vocabulary: Vocabulary, settings: Settings) -> None:  # noqa: B027 most learn from anything
        """Refuse music that this family cannot learn from.

        Raises:
            MusegenError: and why.
        """

    @abstractmethod
    def prepare(self, roll: Roll, vocabulary: Vocabulary, settings: Settings) -> list[Example]:
        """A roll -> what is learnt from it; none when the roll is too short."""

    @abstractmethod
    def collate(self, examples: Sequence[Example], shifts: Sequence[int], vocabulary: Vocabulary) -> Arrays:
        """Examples, each moved by so many semitones -> a batch."""

    @abstractmethod
    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """The torch module that learns, with fresh weights. Loads torch."""

    @abstractmethod
    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> Composer:
        """The numpy twin of the network, with these weights."""

    def learnt(self, composer: Composer, rolls: Sequence[Roll]) -> dict[str, Any]:
        """What a trained model can tell of its training pieces, as plain data for its card.

        `register` is the mean pitch of all pieces. Music is learnt in many transpositions, so that a model knows keys
        and ranges, but of a melody no longer in which octave it usually lies.
        """
        pitches = [roll.symbols[roll.symbols < REST] for roll in rolls]
        means = [float(each.mean()) for each in pitches if len(each)]
        return {"register": round(float(np.mean(means)), 2)} if means else {}


def transpositions(roll: Roll, vocabulary: Vocabulary, settings: Settings) -> range:
    """By how much a training roll may be moved; music beyond the ranges that no such move brings inside stays."""
    inside = room(roll, vocabulary.ranges)
    moves = range(max(inside.start, -settings.transpose), max(1, min(inside.stop, settings.transpose + 1)))
    return moves or range(1)
