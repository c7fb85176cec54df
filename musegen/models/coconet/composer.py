"""Coconet in numpy: annealed blocked Gibbs sampling, and a bound on the likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Composer, Filling, Sampling, Surprise, as_written
from musegen.models.chain import Chain, truncated
from musegen.models.coconet.cells import Cells, candidates, dilations, from_tonic
from musegen.models.coconet.seen import BOOST, INTERVALS, Seen, interval_map, motion_map, references
from musegen.models.numpy_layers import Floats, log_softmax, summed_rows
from musegen.models.slice_limits import bound
from musegen.models.slices import Flags, Ints
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll
from musegen.representation.template import Template

if TYPE_CHECKING:
    from musegen.models.coconet import CoconetSettings

MASKS = 16
"""How often a piece is shown, with ever more of it hidden, for its likelihood."""
EPSILON = 1e-5
"""As in the network."""
FIRST, MIDDLE, LAST = 0.9, 0.1, 0.03
"""Shares of the cells that are hidden: at first, after half of the sweeps, and at last."""
WARMTH = 0.5
"""How far towards 1 the temperature begins."""
ATTEMPTS = 20
"""How often repeated passages are drawn anew when what follows them cannot be completed."""


class CoconetComposer(Composer):
    """Fills any cells from any others."""

    def __init__(self, vocabulary: Vocabulary, settings: CoconetSettings, weights: Arrays) -> None:
        v = vocabulary
        self.vocabulary, self.settings, self.table = vocabulary, settings, weights["table"]
        self.layers = [
            (
                dilation,
                np.ascontiguousarray(weights[f"wide.{i}.weight"].T),
                weights[f"wide.{i}.bias"],
                np.ascontiguousarray(weights[f"narrow.{i}.weight"].T),
            )
            for i, dilation in enumerate(dilations(v, settings.layers))
        ]
        self.out = np.ascontiguousarray(weights["out.weight"].T), weights["out.bias"]
        heads, kinds = settings.heads, candidates(v) + 2
        self.degree = weights["degree.weight"].reshape(v.voices, kinds, heads).swapaxes(1, 2).copy()
        self.degree_bias = weights["degree.bias"].reshape(v.voices, kinds)
        interval = weights["interval"].reshape(heads, v.voices, references(v) * INTERVALS)
        self.interval = np.ascontiguousarray(interval.swapaxes(0, 1))
        if v.voices > 1:
            self.motion = np.pad(BOOST * weights["motion"], ((0, 0), (0, 0), (0, 1), (0, 0)))
        self.held = weights["held"]

    def fill(self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int]) -> list[Filling]:
        """Fill each template by itself."""
        return [self._fill(template, how, piece) for template, piece in zip(templates, pieces, strict=True)]

    def _fill(self, template: Template, how: Sampling, piece: int) -> Filling:
        generator = how.generator(piece)
        task = _Task(self, template, Cells.of(template.roll, self.vocabulary, ~template.open))
        often = _often(template.roll)
        for share, polishing, warmth in schedule(self.settings.sweeps):
            temperature = how.temperature + warmth * (1 - min(1.0, how.temperature))
            shares = share * often if polishing else np.full_like(often, share)
            task.sweep(replace(how, temperature=temperature), generator, shares)
        symbols = np.where(template.open, self.vocabulary.decode(task.event), template.roll.symbols)
        return Filling(replace(template.roll, symbols=symbols.astype(np.uint8)))

    def surprise(self, rolls: Sequence[Roll], seed: int = 1) -> list[Surprise]:
        """The mean over orders of writing the cells, from a sample of them, without bias.

        A piece's mean over orders is a bound of what the mixture of all orders makes of it.
        """
        return [self._surprise(roll, np.random.default_rng([seed, number])) for number, roll in enumerate(rolls)]

    def _surprise(self, roll: Roll, generator: np.random.Generator) -> Surprise:
        v, cells = self.vocabulary, Cells.of(roll, self.vocabulary)
        count = cells.event.size
        nats, odds = np.zeros(cells.event.shape), np.zeros((*cells.event.shape, v.classes))
        for show in range(MASKS):
            hiding = max(1, int(np.ceil((show + generator.random()) / MASKS * count)))
            hidden = (generator.permutation(count) < hiding).reshape(cells.event.shape)
            weight = count / hiding / MASKS
            for voice, (steps, logits) in enumerate(self.logits(cells, hidden)):
                likely = log_softmax(logits)
                nats[steps, voice] -= weight * likely[np.arange(len(steps)), cells.event[steps, voice]]
                odds[steps, voice] += weight * np.exp(likely)
        return Surprise(nats, as_written(v.decode(odds.argmax(axis=-1)), roll))

    def logits(self, cells: Cells, hidden: Flags) -> list[tuple[Ints, Floats]]:
        """For each voice its hidden steps (n,) and their (n, K) logits, in the vocabulary's classes."""
        v, seen = self.vocabulary, Seen.of(cells, hidden, self.vocabulary)
        trunk = self.trunk(seen.rows)
        found = []
        for voice in range(v.voices):
            steps = np.flatnonzero(hidden[:, voice])
            logits = self._head(voice, trunk[steps], seen, steps)
            back = from_tonic(np.arange(v.classes), cells.frame[steps, 1:2], v)
            found.append((steps, np.take_along_axis(logits, back, axis=1)))
        return found

    def trunk(self, rows: Ints) -> Floats:
        """(T, F) rows -> (T, heads) what the logits are computed from."""
        x = summed_rows(self.table, rows)
        steps, width = x.shape
        for dilation, wide, bias, narrow in self.layers:
            around = np.zeros((steps, 3, width))
            around[:, 1] = _normed(x)
            around[dilation:, 0] = around[: max(0, steps - dilation), 1]
            around[: max(0, steps - dilation), 2] = around[dilation:, 1]
            hidden = around.reshape(steps, -1) @ wide
            hidden += bias
            x += np.maximum(hidden, 0, out=hidden) @ narrow
        matrix, bias = self.out
        return np.asarray(np.maximum(_normed(x) @ matrix + bias, 0))

    def _head(self, voice: int, hidden: Floats, seen: Seen, steps: Ints) -> Floats:
        """(n, heads) at these steps -> (n, classes from the tonic) logits of a voice."""
        v = self.vocabulary
        logits = hidden @ self.degree[voice] + self.degree_bias[voice]
        apart = (hidden @ self.interval[voice]).reshape(len(steps), references(v), INTERVALS)
        apart = np.pad(apart, ((0, 0), (0, 0), (0, 1)))
        index = interval_map(v)[voice, np.arange(references(v)), seen.heard[steps, voice]]
        by_interval = np.take_along_axis(apart, index, axis=2).sum(axis=1)
        if v.voices > 1:
            index = motion_map(v)[seen.against[steps, voice], seen.own[steps, voice]]
            rows = self.motion[voice, np.arange(index.shape[1]), seen.motion[steps, voice]]
            by_interval += np.take_along_axis(rows, index, axis=2).sum(axis=1)
        logits[:, :-2] += by_interval
        before = seen.before(v)[steps, voice]
        known = before < candidates(v)
        logits[known, -1] += self.held[voice] * by_interval[known, before[known]]
        return np.asarray(logits)


class _Task:
    """A template under way.

    Attributes:
        event: (T, V) classes so far.
    """

    def __init__(self, composer: CoconetComposer, template: Template, cells: Cells) -> None:
        self.composer, self.template, self.cells = composer, template, cells
        self.voices = np.flatnonzero(template.open.any(axis=0))
        ways = bound(template, composer.vocabulary)
        self.chain = Chain([ways[voice] for voice in self.voices])
        self.event = cells.event.copy()
        self.source = np.arange(template.roll.steps)  # of each step; itself where it repeats nothing
        for copy in template.copies:
            self.source[copy.target : copy.target + copy.steps] = np.arange(copy.source, copy.source + copy.steps)
        self.repeats = self.source != np.arange(len(self.source))
        self.written = False

    def sweep(self, how: Sampling, generator: np.random.Generator, shares: Floats) -> None:
        """Hide each open cell of a step with the chance of that step, (T,) of them, and draw the hidden ones."""
        opened = self.template.open
        hidden = opened & (generator.random(opened.shape) < shares[:, None])[self.source]
        if not hidden.any():
            return
        logs = self._logs(hidden, how)
        fresh = self._drawn(logs, hidden, how, generator)
        if fresh is not None:
            self.event, self.written = fresh, True
        elif not self.written:
            raise MusegenError("no way was found to repeat passages as asked", "Ask for less at once.")

    def _logs(self, hidden: Flags, how: Sampling) -> Floats:
        """(T, open voices, K) logarithms of the odds of hidden cells, 0 elsewhere."""
        v, steps = self.composer.vocabulary, len(self.event)
        cells = Cells(self.event, self.cells.frame, self.cells.apart)
        logs = np.zeros((steps, v.voices, v.classes))
        for voice, (where, logits) in enumerate(self.composer.logits(cells, hidden)):
            if len(where):
                logs[where, voice] = log_softmax(logits)
        if self.repeats.any():
            total, count = np.zeros_like(logs), np.bincount(self.source, minlength=steps)
            np.add.at(total, self.source, logs)
            logs = total / np.maximum(count, 1)[:, None, None]
            logs[self.repeats] = 0.0  # what a copy will be is decided where it comes from
        logs = logs[:, self.voices]
        return truncated(logs, how)

    def _drawn(self, logs: Floats, hidden: Flags, how: Sampling, generator: np.random.Generator) -> Ints | None:
        """(T, V) classes; None where no way was found to repeat what must be repeated."""
        mine = self.voices
        known = np.where(hidden[:, mine], -1, self.event[:, mine])
        event = self.event.copy()
        for attempt in range(ATTEMPTS if self.repeats.any() else 1):
            likeliest = how.temperature == 0 and attempt == 0
            chances = generator.random(known.shape)
            lines, possible = self.chain.draw(logs, known, None if likeliest else chances)
            if self.repeats.any():
                tied = self.repeats | np.isin(np.arange(len(known)), self.source[self.repeats])
                fixed = np.where(tied[:, None], lines[self.source], known)
                chances = generator.random(known.shape)
                lines, fits = self.chain.draw(logs, fixed, None if likeliest else chances)
                possible &= fits
            if possible.all():
                event[:, mine] = lines
                return event
        return None


def schedule(sweeps: int) -> list[tuple[float, bool, float]]:
    """For each sweep the share of cells that is hidden, whether it polishes, and how warm it is, from 1 to 0.

    First everything, then ever less, as in the paper, but down to its last share within half of the sweeps. In the
    other half the share falls further: what is hidden at once is drawn independently, and two voices that move at once
    without knowing of each other are how parallels come about.
    """
    half = sweeps // 2
    found = [(1.0, False, WARMTH)]
    found += [(FIRST - (FIRST - MIDDLE) * n / half, False, WARMTH * (1 - n / half)) for n in range(half)]
    rest = sweeps - half
    return found + [(MIDDLE * (LAST / MIDDLE) ** (n / max(1, rest - 1)), True, 0.0) for n in range(rest)]


def _often(roll: Roll) -> Floats:
    """(T,) how often a step is polished: those on a quarter the most, where most is decided."""
    place, quarter = roll.clock()[1], roll.steps_per_quarter
    halves = (place * 2 % quarter == 0) | (place * 3 % quarter == 0)
    return np.where(place % quarter == 0, 1.0, np.where(halves, 0.5, 0.15))


def _normed(x: Floats) -> Floats:
    """Each step's vector with a mean square of 1."""
    return np.asarray(x / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + EPSILON))
