"""MiniBach: a melody in, the other voices out, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Composer, Example, Family, Filling, Sampling, Settings, Surprise, as_written
from musegen.models.numpy_layers import Floats, log_softmax, pick
from musegen.models.slices import Frame, Ints
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll, sounding
from musegen.representation.template import Template

if TYPE_CHECKING:
    from musegen.models.network import Network


BELOW = 6
"""Pitches beyond the vocabulary's, either way, that may be needed when they are counted from the tonic."""


@dataclass(frozen=True)
class MiniBachSettings(Settings):
    """Settings of MiniBach.

    Attributes:
        window: quarters that are seen at once; 16 are four bars of 4/4.
        hidden: units of the hidden layer.
        embedding: of a symbol.
        dropout: share of hidden units left out.
    """

    epochs: int = 20
    batch: int = 16
    learning_rate: float = 2e-3
    window: int = 16
    hidden: int = 400
    embedding: int = 32
    dropout: float = 0.5

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if min(self.window, self.hidden, self.embedding) <= 0:
            raise MusegenError("window, hidden and embedding must be above 0")
        if not self.dropout < 1:
            raise MusegenError("dropout must be below 1")


class MiniBach(Family):
    """One hidden layer from a window of the soprano to the same window of all other voices.

    The book's version (Briot, Hadjeres and Pachet 2017, section 6.2) has sigmoid outputs on one-hot cells of its own
    rests-free 4/4 corpus. Ours differs: pitches are counted from the tonic, so that all keys are one (music without a
    key is taken for C); a softmax for each voice and step, since a voice sounds one note; symbols have embeddings,
    shared by all steps, for what begins, what sounds and the place in the bar; a longer melody is read in windows that
    overlap by half, of which the middle is kept; any metre. Every cell is drawn for itself, so the likeliest symbols
    are taken (temperature 0) unless asked otherwise.
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
        """A roll -> its windows, one beginning at every bar line and at the beginning."""
        assert isinstance(settings, MiniBachSettings)
        steps = window_steps(vocabulary, settings)
        tonic = tonic_of(roll)
        sound = from_tonic(vocabulary.encode(sounding(roll.symbols)), tonic, vocabulary)
        event = from_tonic(vocabulary.encode(roll.symbols), tonic, vocabulary)
        place = places(roll, vocabulary)
        last = max(0, roll.steps - steps)
        firsts = sorted({min(start, last) for _, start, _ in roll.bar_starts()})
        examples = []
        for first in firsts:
            part = slice(first, first + steps)
            given = windowed(event[part, 0], sound[part, 0], place[part], steps, vocabulary)
            target = np.full((steps, vocabulary.voices - 1), -1)
            target[: len(event[part])] = event[part, 1:]
            arrays = {"given": given, "target": target}
            # Moved music looks the same from its tonic, so there is nothing to gain from transposing it.
            examples.append(Example(arrays, int((target >= 0).sum()), steps, range(1)))
        return examples

    def collate(self, examples: Sequence[Example], shifts: Sequence[int], vocabulary: Vocabulary) -> Arrays:
        """(B, T, 3) given and (B, T, V - 1) target classes, -1 after the end."""
        return {name: np.stack([example.arrays[name] for example in examples]) for name in ("given", "target")}

    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """Torch module with fresh weights."""
        from musegen.models.minibach.network import MiniBachNetwork

        assert isinstance(settings, MiniBachSettings)
        return MiniBachNetwork(vocabulary, settings)

    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> Composer:
        """Numpy twin."""
        assert isinstance(settings, MiniBachSettings)
        return MiniBachComposer(vocabulary, settings, weights)


def window_steps(vocabulary: Vocabulary, settings: MiniBachSettings) -> int:
    """Steps of a window."""
    return settings.window * vocabulary.steps_per_quarter


def tonic_of(roll: Roll) -> int:
    """Semitones from the nearest C up to the tonic, -5 to 6; 0 when the key is unknown."""
    return (roll.keys[0][1].tonic + 5) % 12 - 5 if roll.keys else 0


def from_tonic(classes: Ints, tonic: int, vocabulary: Vocabulary) -> Ints:
    """Classes of the vocabulary -> classes counted from the tonic.

    There are `BELOW` more pitches below and above, and `rest`, `hold` and `none` follow them.
    """
    pitch = classes < vocabulary.pitches
    return np.where(pitch, classes - tonic + BELOW, classes + 2 * BELOW)


def places(roll: Roll, vocabulary: Vocabulary) -> Ints:
    """(steps,) place in the bar, for each metre apart; `longest_bar * (metres + 1)` of them."""
    frame = Frame.of(roll, vocabulary)
    return frame.metre * vocabulary.longest_bar + np.minimum(frame.position, vocabulary.longest_bar - 1)


def windowed(event: Ints, sound: Ints, place: Ints, steps: int, vocabulary: Vocabulary) -> Ints:
    """(steps, 3) event, sound and place of the given voice; `none` and the last place after the end."""
    nowhere, none = vocabulary.longest_bar * (len(vocabulary.metres) + 1), vocabulary.none + 2 * BELOW
    given = np.tile(np.array([none, none, nowhere]), (steps, 1))
    given[: len(event)] = np.stack([event, sound, place], 1)
    return given


class MiniBachComposer(Composer):
    """Adds voices to melodies."""

    def __init__(self, vocabulary: Vocabulary, settings: MiniBachSettings, weights: Arrays) -> None:
        self.vocabulary, self.settings, self.weights = vocabulary, settings, weights
        self.steps = window_steps(vocabulary, settings)
        self.in_range = vocabulary.in_range()

    def fill(self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int]) -> list[Filling]:
        """Fill in all voices but the first, which must be given."""
        return [self._fill(template, how, piece) for template, piece in zip(templates, pieces, strict=True)]

    def _fill(self, template: Template, how: Sampling, piece: int) -> Filling:
        v, roll = self.vocabulary, template.roll
        if template.allowed is not None or template.open[:, 0].any() or not template.open[:, 1:].all():
            raise MusegenError(
                "minibach writes whole voices under a whole melody, and nothing else",
                "Give it the soprano alone, or use another family.",
            )
        logits = self.logits(roll)  # (steps, V - 1, K)
        chances = how.generator(piece).random((roll.steps, v.voices - 1))
        symbols = roll.symbols.copy()
        nats = 0.0
        for voice in range(1, v.voices):
            allowed = np.where(self.in_range[voice], logits[:, voice - 1], -np.inf)
            chosen = pick(allowed, how, chances[:, voice - 1])
            nats -= float(np.take_along_axis(log_softmax(logits[:, voice - 1]), chosen[:, None], 1).sum())
            written = v.decode(chosen)[:, None]
            symbols[:, voice] = np.where((written == HOLD) & (sounding(written) == REST), REST, written)[:, 0]
        return Filling(replace(roll, symbols=symbols), nats)

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
        """(steps, V - 1, K): each step as the window sees it in whose middle it lies; in the vocabulary's classes."""
        v, steps = self.vocabulary, self.steps
        melody = roll.symbols[:, :1]
        tonic = tonic_of(roll)
        event = from_tonic(v.encode(melody)[:, 0], tonic, v)
        sound = from_tonic(v.encode(sounding(melody))[:, 0], tonic, v)
        place = places(roll, v)
        half, last = max(1, steps // 2), max(0, roll.steps - steps)
        firsts = sorted({*range(0, last, half), last})
        given = np.stack(
            [windowed(event[f : f + steps], sound[f : f + steps], place[f : f + steps], steps, v) for f in firsts]
        )
        out = self.network(given)
        merged = np.zeros((roll.steps, *out.shape[2:]))
        for first, window in zip(firsts, out, strict=True):
            begin = first + half // 2 if first else 0
            end = min(first + steps, roll.steps)
            merged[begin:end] = window[begin - first : end - first]
        return merged[..., from_tonic(np.arange(v.classes), tonic, v)]

    def network(self, given: Ints) -> Floats:
        """(B, T, 3) -> (B, T, V - 1, classes from the tonic) logits."""
        w = self.weights
        told = w["event"][given[..., 0]] + w["sound"][given[..., 1]] + w["place"][given[..., 2]]
        b, t = given.shape[:2]
        hidden = np.maximum(told.reshape(b, -1) @ w["first.weight"].T + w["first.bias"], 0)
        read = (hidden @ w["second.weight"].T + w["second.bias"]).reshape(b, t, self.vocabulary.voices - 1, -1)
        read = read + told[:, :, None] @ w["skip"]
        return np.asarray(np.einsum("btve,vek->btvk", read, w["symbol"]) + w["symbol_bias"])
