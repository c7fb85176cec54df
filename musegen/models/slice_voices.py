"""The heads in numpy: a slice drawn voice by voice, then its length. The twin of `slice_network.SliceHeads`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musegen.models import relations
from musegen.models.base import Arrays
from musegen.models.numpy_layers import Floats
from musegen.models.slices import LAGS, Context, Ints
from musegen.models.vocabulary import Vocabulary

Choose = Callable[[int, int | None, Floats], Ints]
"""Column of the draw, the voice (None for the length) and (n, K) logits -> (n,) choices."""


class SliceVoices:
    """Logits of each voice's symbol, given the voices drawn before it, and of the slice's length.

    Args:
        vocabulary: of the training music.
        weights: of the whole network, by torch's names.
    """

    def __init__(self, vocabulary: Vocabulary, weights: Arrays) -> None:
        v = self.vocabulary = vocabulary
        self.order = relations.drawing_order(v.voices)
        heads = {name.removeprefix("heads."): array for name, array in weights.items() if name.startswith("heads.")}
        # One matrix gives what all heads read and all gates.
        self.read = np.ascontiguousarray(np.concatenate([heads["read.weight"], heads["gate.weight"]]).T)
        self.read_bias = np.concatenate([heads["read.bias"], heads["gate.bias"]])
        self.hidden = len(heads["read.bias"]) // (v.voices + 1)
        self.run_gate = heads["run_gate"]
        # Of each voice: logits by class, by leap and by degree, from one matrix.
        self.symbol = [
            np.concatenate([heads[f"symbol.{j}.weight"].T, heads["by_leap"][j], heads["by_degree"][j]], axis=1)
            for j in range(v.voices)
        ]
        self.symbol_bias = [heads[f"symbol.{j}.bias"] for j in range(v.voices)]
        self.length = np.ascontiguousarray(heads["length.weight"].T)
        self.length_bias = heads["length.bias"]
        self.told = heads["told"]
        self.pair = {(j, i): j * (j - 1) // 2 + i for j in range(1, v.voices + 1) for i in range(j)}
        if v.voices > 1:
            self.harmony, self.spacing = heads["harmony"], heads["spacing"]
        self.leap_map, self.degree_map = relations.leap_map(v), relations.degree_map(v)
        self.leap = heads["leap"][:, self.leap_map]  # (V, P + 1, K)
        self.degree = heads["degree"][:, :, self.degree_map]  # (V, modes, 13, K)
        self.motion_map, self.after_map = relations.motion_map(v), relations.after_map(v)
        self.interval_map = relations.interval_map(v)
        self.harmony_map, self.spacing_map = relations.harmony_map(v), relations.spacing_map(v)

    def draw(self, read: Floats, context: Context, choose: Choose) -> tuple[Ints, Ints]:
        """(n, H) from the trunk -> (n, V) events and (n,) lengths."""
        v, n = self.vocabulary, len(read)
        one = np.arange(n)
        heard = read @ self.read + self.read_bias
        reads = heard[:, : (v.voices + 1) * self.hidden].reshape(n, v.voices + 1, self.hidden)
        gates = heard[:, (v.voices + 1) * self.hidden :].reshape(n, v.voices + 1, len(LAGS))
        gates = gates + self.run_gate[:, np.arange(len(LAGS)), context.run].transpose(1, 0, 2)
        event = np.zeros((n, v.voices), np.int64)
        told: list[Ints] = []
        afters: list[Ints] = []
        motions: list[Ints] = []
        still = np.ones(n, bool)
        for j, voice in enumerate(self.order):
            before = context.before[:, voice]
            said = np.tanh(self._hear(reads[:, j], j, told)) @ self.symbol[j]
            logits = said[:, : v.classes] + self.symbol_bias[j]
            logits += np.take_along_axis(said[:, v.classes : -relations.DEGREES], self.leap_map[before], axis=1)
            logits += np.take_along_axis(said[:, -relations.DEGREES :], self.degree_map[context.tonic], axis=1)
            logits += self.leap[j, before] + self.degree[j, context.mode, context.tonic]
            for i, other in enumerate(self.order[:j]):
                logits += self._relation(self.pair[j, i], before, context.before[:, other], afters[i], motions[i])
            for lag in range(len(LAGS)):
                there = context.look_event[:, lag, voice]
                seen = np.flatnonzero(there != v.none)
                logits[seen, there[seen]] += gates[seen, j, lag]
            logits[before == v.rest, v.rest] = -np.inf
            if j == v.voices - 1:
                logits[still & ~context.joint, v.hold] = -np.inf
            chosen = event[:, voice] = choose(j, voice, logits)
            moved = chosen != v.hold
            still &= ~moved
            afters.append(self.after_map[before, chosen])
            motions.append(self.motion_map[before, chosen])
            told.append(2 * afters[-1] + moved)
        logits = np.tanh(self._hear(reads[:, v.voices], v.voices, told)) @ self.length + self.length_bias
        for lag in range(len(LAGS)):
            there = context.look_length[:, lag]
            seen = np.flatnonzero(there > 0)
            logits[seen, there[seen] - 1] += gates[seen, v.voices, lag]
        logits[np.arange(1, v.longest_bar + 1) > context.room[one, None]] = -np.inf
        return event, choose(v.voices, None, logits) + 1

    def _hear(self, read: Floats, j: int, told: list[Ints]) -> Floats:
        for i, each in enumerate(told):
            read = read + self.told[self.pair[j, i], each]
        return read

    def _relation(self, pair: int, before: Ints, other_before: Ints, after: Ints, motion: Ints) -> Floats:
        stood = self.interval_map[before, other_before] * relations.MOTIONS + motion
        harmony = np.take_along_axis(self.harmony[pair][stood], self.harmony_map[after, before], axis=1)
        spacing = np.take_along_axis(self.spacing[pair][motion], self.spacing_map[after, before], axis=1)
        return np.asarray(harmony + spacing)
