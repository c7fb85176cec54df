"""What a training run is asked to do, before anything is computed. Needs no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from musegen.checkpoints import Checkpoint
from musegen.corpora.corpus import Corpus
from musegen.errors import MusegenError
from musegen.models.base import Family, Settings
from musegen.models.vocabulary import Vocabulary
from musegen.storage import load_header


@dataclass(frozen=True)
class Budget:
    """How long to train: whichever is given; the family's own number of epochs when neither is."""

    epochs: int | None = None
    minutes: float | None = None


@dataclass(frozen=True)
class Run:
    """A training run.

    Attributes:
        family: of models.
        corpus: to learn from.
        vocabulary: of the model.
        settings: of the model and of its training.
        budget: how long.
        out: where the checkpoint goes; the state of a run under way lies beside it.
        seed: of all random numbers.
        command: that was given, for the card.
        device: `auto`, `cpu` or `cuda`.
        precision: `auto`, `float32` or `bfloat16`.
        log: JSON lines, or None.
        resume: go on from the state, if there is one.
        overwrite: whether an existing checkpoint may be replaced.
        base: a trained model to begin from.
    """

    family: Family
    corpus: Corpus
    vocabulary: Vocabulary
    settings: Settings
    budget: Budget
    out: Path
    seed: int
    command: str = ""
    device: str = "auto"
    precision: str = "auto"
    log: Path | None = None
    resume: bool = False
    overwrite: bool = False
    base: Checkpoint | None = None

    @property
    def state_path(self) -> Path:
        """Where the state of this run lies until it is done."""
        return state_path(self.out)

    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to be resumed."""
        return {
            "family": self.family.name,
            "corpus": self.corpus.hash,
            "settings": asdict(self.settings),
            "epochs": self.budget.epochs,
            "minutes": self.budget.minutes,
            "seed": self.seed,
            "precision": self.precision,
            "from": self.base.hash if self.base else None,
        }


def recorded_seed(out: Path) -> int | None:
    """The seed of a run under way, so that resuming need not repeat it; None when there is no such run."""
    path = state_path(out)
    if not path.exists():
        return None
    seed = load_header(path, "training state")["run"].get("seed")
    return seed if isinstance(seed, int) else None


def state_path(out: Path) -> Path:
    """Where the state of a run under way lies: beside its checkpoint."""
    return out.with_name(out.name + ".state")


def vocabulary_of(corpus: Corpus, base: Checkpoint | None = None) -> Vocabulary:
    """The vocabulary that a model of this corpus needs.

    Args:
        corpus: its training pieces decide.
        base: a model to go on from, whose vocabulary is kept.

    Raises:
        MusegenError: there is nothing to train on, or the base model is of another shape.
    """
    training = corpus.split("train")
    if not training:
        raise MusegenError(f"{corpus.name} has no training pieces", "Encode it with another --split.")
    if base:
        old = base.vocabulary
        if (old.voices, old.steps_per_quarter) != (corpus.voices, corpus.steps_per_quarter):
            raise MusegenError(
                f"{base.path} writes {old.voices} voices at {old.steps_per_quarter} steps per quarter, "
                f"{corpus.name} has {corpus.voices} at {corpus.steps_per_quarter}",
                f"Encode it with --voices {old.voices} --steps-per-quarter {old.steps_per_quarter}.",
            )
        return old
    counts: dict[Any, int] = {}
    longest = 1
    for index in training:
        roll = corpus.roll(index)
        for _, metre in roll.metres:
            counts[metre] = counts.get(metre, 0) + 1
            longest = max(longest, roll.steps_of(metre))
    metres = sorted(counts, key=lambda metre: (-counts[metre], str(metre)))
    return Vocabulary(corpus.steps_per_quarter, corpus.ranges, tuple(metres), longest)
