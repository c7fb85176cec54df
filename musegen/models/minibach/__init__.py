"""MiniBach: a melody in, the other voices out, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Composer, Example, Family, Filling, Sampling, Settings, Surprise, as_written
from musegen.models.chain import Chain, truncated
from musegen.models.minibach.melody import BELOW, Melody, from_tonic, taps
from musegen.models.numpy_layers import Floats, log_softmax, summed_rows
from musegen.models.slice_limits import bound
from musegen.models.slices import Ints
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll
from musegen.representation.template import Template

if TYPE_CHECKING:
    from musegen.models.network import Network


PASSAGE = 64
"""Steps that are learnt from together; each sees the whole piece all the same."""


@dataclass(frozen=True)
class MiniBachSettings(Settings):
    """Settings of MiniBach.

    Attributes:
        window: quarters that are seen from each step, half of them before it; 16 are four bars of 4/4.
        hidden: units of the hidden layer.
        embedding: of a step of the melody.
        dropout: share of hidden units left out.
    """

    epochs: int = 8
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    averaging: float = 0.995
    window: int = 16
    hidden: int = 600
    embedding: int = 20
    dropout: float = 0.5

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if min(self.window, self.hidden, self.embedding) <= 0:
            raise MusegenError("window, hidden and embedding must be above 0")
        if not self.dropout < 1:
            raise MusegenError("dropout must be below 1")


class MiniBach(Family):
    """One hidden layer from a window of the soprano to what the other voices do in its middle.

    The book's version (Briot, Hadjeres and Pachet 2017, section 6.2) reads a window of four bars and writes the same
    window of the other voices, with weights of its own for each place in it, and sigmoid outputs on one-hot cells of a
    rests-free 4/4 corpus of its own. Ours has one hidden layer too, and cells that are independent of one another. But
    the layer is slid along the melody, with the same weights at every step, and sees what lies around that step, the
    finer the nearer (`taps`), and what a reader would know at a glance (`Melody`). Pitches are counted from the tonic,
    so that all keys are nearly one, and the key is estimated from the melody where none is written. A softmax for each
    voice and step, since a voice sounds one note, over the sum of two readings of each pitch, as a degree of the scale
    and as an interval below the melody; any metre, any length. Every cell is drawn for itself, so the
    likeliest symbols are taken (temperature 0) unless asked otherwise.
    """

    name = "minibach"
    title = "MiniBach"
    year = 2017
    paper = (
        "Briot, Hadjeres and Pachet, Deep learning techniques for music generation, https://arxiv.org/abs/1709.01620"
    )
    settings = MiniBachSettings
    measure = "nats per added note"
    temperature = 0.0
    given_voices = (0,)

    def check(self, vocabulary: Vocabulary, settings: Settings) -> None:
        """Refuse melodies: there must be voices to add."""
        if vocabulary.voices < 2:
            raise MusegenError(
                "minibach adds voices to a melody, and this corpus has only melodies",
                "Train it on a corpus with more voices, or choose lstm, feedforward or vae.",
            )

    def prepare(self, roll: Roll, vocabulary: Vocabulary, settings: Settings) -> list[Example]:
        """A roll -> its passages."""
        assert isinstance(settings, MiniBachSettings)
        melody, reach = Melody.of(roll, vocabulary), reach_of(vocabulary, settings)
        line = surrounded(melody.line, reach, vocabulary)
        target = from_tonic(vocabulary.encode(roll.symbols[:, 1:]), melody.tonic, vocabulary)
        examples = []
        for first in range(0, roll.steps, PASSAGE):
            part = slice(first, first + PASSAGE)
            arrays = {
                "line": _long(line[first : part.stop + 2 * reach], PASSAGE + 2 * reach),
                "facts": _long(melody.facts[part], PASSAGE),
                "below": _long(melody.below[part], PASSAGE),
                "target": _long(target[part], PASSAGE, -1),
            }
            # Moved music looks nearly the same from its tonic, and transposing it taught nothing more.
            examples.append(Example(arrays, target[part].size, PASSAGE, range(1)))
        return examples

    def collate(self, examples: Sequence[Example], shifts: Sequence[int], vocabulary: Vocabulary) -> Arrays:
        """(B, T + 2R, 2) line, (B, T, F) facts, (B, T, P) below and (B, T, V - 1) target, -1 after the end."""
        return {name: np.stack([example.arrays[name] for example in examples]) for name in examples[0].arrays}

    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """Torch module with fresh weights."""
        from musegen.models.minibach.network import MiniBachNetwork

        assert isinstance(settings, MiniBachSettings)
        return MiniBachNetwork(vocabulary, settings)

    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> Composer:
        """Numpy twin."""
        assert isinstance(settings, MiniBachSettings)
        return MiniBachComposer(vocabulary, settings, weights)


def reach_of(vocabulary: Vocabulary, settings: MiniBachSettings) -> int:
    """How many steps are seen to either side."""
    return taps(vocabulary.steps_per_quarter, settings.window)[-1]


def surrounded(line: Ints, reach: int, vocabulary: Vocabulary) -> Ints:
    """(steps, 2) -> (steps + 2 * reach, 2), with `none` before the beginning and after the end."""
    return np.pad(line, ((reach, reach), (0, 0)), constant_values=vocabulary.none + 2 * BELOW)


def _long(array: Ints, rows: int, beyond: int = 0) -> Ints:
    """An array with so many rows, those after its end filled."""
    return np.pad(array, ((0, rows - len(array)), (0, 0)), constant_values=beyond)


class MiniBachComposer(Composer):
    """Adds voices to melodies."""

    def __init__(self, vocabulary: Vocabulary, settings: MiniBachSettings, weights: Arrays) -> None:
        self.vocabulary, self.settings, self.weights = vocabulary, settings, weights
        self.taps = taps(vocabulary.steps_per_quarter, settings.window)

    def fill(self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int]) -> list[Filling]:
        """Fill in voices under the first, which must be given; lines are drawn whole, so that every rule holds."""
        return [self._fill(template, how, piece) for template, piece in zip(templates, pieces, strict=True)]

    def _fill(self, template: Template, how: Sampling, piece: int) -> Filling:
        v, roll = self.vocabulary, template.roll
        if template.open[:, 0].any() or template.copies:
            what = "passages that repeat" if template.copies else "a melody"
            raise MusegenError(
                f"minibach cannot write {what}", "Give it the whole soprano, or use another family, such as lstm."
            )
        ways = bound(template, v)
        voices = [voice for voice in range(1, v.voices) if template.open[:, voice].any()]
        likely = np.stack([log_softmax(self.logits(roll)[:, voice - 1]) for voice in voices], axis=1)
        is_open = template.open[:, voices]
        known = np.where(is_open, -1, v.encode(roll.symbols[:, voices]))
        chances = how.generator(piece).random(known.shape) if how.temperature else None
        lines, _ = Chain([ways[voice] for voice in voices]).draw(truncated(likely, how), known, chances)
        symbols = roll.symbols.copy()
        symbols[:, voices] = v.decode(lines)
        drawn = np.take_along_axis(likely, lines[..., None], axis=2)[..., 0]
        return Filling(replace(roll, symbols=symbols), -float(drawn[is_open].sum()), int(is_open.sum()))

    def surprise(self, rolls: Sequence[Roll], seed: int = 1) -> list[Surprise]:
        """Exact; the first voice is given and costs nothing."""
        return [self._surprise(roll) for roll in rolls]

    def _surprise(self, roll: Roll) -> Surprise:
        v = self.vocabulary
        nats, best = np.zeros(roll.symbols.shape), roll.symbols.copy()
        logits, truth = self.logits(roll), v.encode(roll.symbols)
        for voice in range(1, v.voices):
            likely = log_softmax(logits[:, voice - 1])
            nats[:, voice] = -np.take_along_axis(likely, truth[:, voice, None], 1)[:, 0]
            best[:, voice] = v.decode(likely.argmax(axis=1))
        return Surprise(nats, as_written(best, roll))

    def logits(self, roll: Roll) -> Floats:
        """(steps, V - 1, K) in the vocabulary's classes; only the first voice is looked at."""
        melody = Melody.of(roll, self.vocabulary)
        out = self.network(surrounded(melody.line, self.taps[-1], self.vocabulary), melody.facts, melody.below)
        return out[..., from_tonic(np.arange(self.vocabulary.classes), melody.tonic, self.vocabulary)]

    def network(self, line: Ints, facts: Ints, below: Ints) -> Floats:
        """(T + 2R, 2) line, (T, F) facts and (T, P) below -> (T, V - 1, classes from the tonic) logits."""
        w, steps, reach = self.weights, len(facts), self.taps[-1]
        told = w["event"][line[:, 0]] + w["sound"][line[:, 1]]
        seen = np.concatenate([told[reach + tap : reach + tap + steps] for tap in self.taps], axis=1)
        hidden = np.maximum(seen @ w["first.weight"].T + w["first.bias"] + summed_rows(w["facts"], facts), 0)
        logits = (hidden @ w["second.weight"].T + w["second.bias"]).reshape(steps, self.vocabulary.voices - 1, -1)
        apart = np.pad((hidden @ w["interval"]).reshape(*logits.shape[:2], -1), ((0, 0), (0, 0), (0, 1)))
        logits[..., : below.shape[1]] += np.take_along_axis(apart, below[:, None], axis=2)
        return np.asarray(logits)
