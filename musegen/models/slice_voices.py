"""The heads in numpy: a slice drawn voice by voice, then its length. The twin of `slice_heads.SliceHeads`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musegen.models import relations
from musegen.models.base import Arrays
from musegen.models.numpy_layers import Floats, summed_rows
from musegen.models.recall import LOOKS, STRAIN
from musegen.models.slices import STAGES, Context, Ints
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
        heads |= {name: relations.BOOST * heads[name] for name in relations.BOOSTED if name in heads}
        # One matrix gives what all heads read and all gates. It stays as torch has it, (outputs, inputs), and is turned
        # where it is used: that costs the product nothing, and the start a copy less.
        self.read = np.concatenate([heads["read.weight"], heads["gate.weight"]])
        self.read_bias = np.concatenate([heads["read.bias"], heads["gate.bias"]])
        self.hidden = len(heads["read.bias"]) // (v.voices + 1)
        self.run_gate = heads["run_gate"]
        if v.voices == 1:  # by place in a strain as well
            self.run_gate = heads["strain_gate"] + self.run_gate[:, :, None]
            self.left_gate, self.compass = heads["left_gate"], heads["compass"]
        self.lags = np.arange(LOOKS)
        # Of each voice: logits by class, by leap, by degree and by tally, from one matrix.
        tables = ("by_leap", "by_degree", "by_tally")
        self.symbol = [
            np.concatenate([heads[f"symbol.{j}.weight"].T, *(heads[table][j] for table in tables)], axis=1)
            for j in range(v.voices)
        ]
        self.symbol_bias = [
            np.concatenate(
                [heads[f"symbol.{j}.bias"], heads["leap"][j], np.zeros(relations.DEGREES), heads["tally"][j]]
            )
            for j in range(v.voices)
        ]
        self.degree, self.ending = heads["degree"], heads["ending"]  # (V, modes, 13) and (V, quarters left, 13)
        self.degrees = slice(v.classes + relations.DISTANCES, v.classes + relations.DISTANCES + relations.DEGREES)
        self.pitch_class = relations.pitch_class_map(v)[: v.pitches]
        # For each candidate the column of its leap, and that of its degree.
        self.leap_map = relations.leap_map(v)
        self.leap_at = v.classes + self.leap_map
        self.degree_map = relations.degree_map(v)
        self.degree_at = v.classes + relations.DISTANCES + self.degree_map
        self.length, self.length_bias = heads["length.weight"], heads["length.bias"]
        self.lengths = np.arange(1, v.longest_bar + 1)
        # Both tables of what a voice already drawn tells another, stacked: `told` pair by pair, then `told_degree`.
        self.told_rows = heads["told"].shape[1]
        self.degree_rows = len(heads["told"]) * self.told_rows
        self.told = np.concatenate([heads[name].reshape(-1, self.hidden) for name in ("told", "told_degree")])
        self.pair = {(j, i): j * (j - 1) // 2 + i for j in range(1, v.voices + 1) for i in range(j)}
        self.motion_map, self.after_map = relations.motion_map(v), relations.after_map(v)
        if v.voices > 1:
            self.harmony, self.spacing = heads["harmony"], heads["spacing"]
            self.interval_map = relations.interval_map(v)
            self.harmony_map = relations.harmony_map(v).reshape(-1, v.classes)
            self.spacing_map = relations.spacing_map(v).reshape(-1, v.classes)
        self.chord = [_Chord(heads, f"chord.{j}.", j + v.voices + 1) for j in range(v.voices)]
        self.sound_class = relations.sound_class_map(v)
        self.rest, self.hold, self.classes, self.sounds = v.rest, v.hold, v.classes, v.pitches + 1

    def draw(self, read: Floats, context: Context, choose: Choose) -> tuple[Ints, Ints]:
        """(n, H) from the trunk -> (n, V) events and (n,) lengths."""
        n, voices = len(read), len(self.order)
        heard = read @ self.read.T
        heard += self.read_bias
        reads = heard[:, : (voices + 1) * self.hidden].reshape(n, voices + 1, self.hidden)
        gates = heard[:, (voices + 1) * self.hidden :].reshape(n, voices + 1, LOOKS)
        gates = gates + self._run_gates(context).transpose(1, 0, 2)
        event = np.zeros((n, voices), np.int64)
        told: list[Ints] = []
        degrees: list[Ints] = []
        afters: list[Ints] = []
        motions: list[Ints] = []
        drawn: list[Ints] = []  # their pitch classes
        sounded = self.sound_class[context.before]
        still = np.ones(n, bool)
        around = context.tally[:, :, relations.CIRCLE].transpose(0, 2, 1, 3).reshape(n, 12, -1)
        for j, voice in enumerate(self.order):
            before = context.before[:, voice]
            # One column more takes in what points to nothing: `none`, where there is nothing to look back to.
            room = np.zeros((n, self.classes + 1))
            logits = room[:, :-1]
            hidden = self._hear(reads[:, j], j, told, degrees)
            said = hidden @ self.symbol[j]
            said += self.symbol_bias[j]
            said[:, self.degrees] += self.degree[j, context.mode] + self.ending[j, context.left]
            recalled = np.matmul(around, said[:, self.degrees.stop :, None])[..., 0]  # (n, 12)
            np.add(said[:, : self.classes], _gather(said, self.leap_at.take(before, axis=0)), out=logits)
            logits += _gather(said, self.degree_at.take(context.tonic, axis=0))
            if voices == 1:
                self._keep_compass(logits, context)
            chord = np.concatenate([*(each[:, None] for each in drawn), sounded, context.tonic[:, None]], axis=1)
            begun, held = self.chord[j].worth(chord, context.left, around, hidden)
            logits[:, : len(self.pitch_class)] += (recalled + begun)[:, self.pitch_class]
            sounds = np.flatnonzero(sounded[:, voice] < 12)
            logits[sounds, self.hold] += held[sounds, sounded[sounds, voice]]
            for i, other in enumerate(self.order[:j]):
                self._relate(logits, self.pair[j, i], before, context.before[:, other], afters[i], motions[i])
            _add_copies(room, context.look_event[:, :, voice], gates[:, j])
            logits[before == self.rest, self.rest] = -np.inf
            if j == voices - 1:
                logits[still & ~context.joint, self.hold] = -np.inf
            chosen = event[:, voice] = choose(j, voice, logits)
            moved = chosen != self.hold
            still &= ~moved
            afters.append(self.after_map[before, chosen])
            motions.append(self.motion_map[before, chosen])
            drawn.append(self.sound_class[afters[-1]])
            told.append(2 * afters[-1] + moved)
            degrees.append(self.degree_map[context.tonic, afters[-1]])
        room = np.zeros((n, len(self.lengths) + 1))  # its first column is for length 0: nothing to look back to
        logits = room[:, 1:]
        np.matmul(self._hear(reads[:, voices], voices, told, degrees), self.length.T, out=logits)
        logits += self.length_bias
        _add_copies(room, context.look_length, gates[:, voices])
        logits[self.lengths > context.room[:, None]] = -np.inf
        return event, choose(voices, None, logits) + 1

    def _run_gates(self, context: Context) -> Floats:
        """(V + 1, n, L): how much more a look back counts after so long an agreement."""
        if len(self.order) > 1:
            return np.asarray(self.run_gate[:, self.lags, context.run])
        strain = (context.bars_left % STRAIN)[:, None]
        gates = self.run_gate[:, self.lags, strain, context.run]
        return np.asarray(gates + self.left_gate[:, self.lags, context.left[:, None]])

    def _keep_compass(self, logits: Floats, context: Context) -> None:
        """Add what it means to each candidate of a melody to lie beyond its lowest and its highest note so far."""
        stage = np.minimum(context.bar, STAGES - 1)
        for edge, table in enumerate(self.compass):
            logits += _gather(table, self.leap_map.take(context.compass[:, 0, edge], axis=0), stage)

    def _hear(self, read: Floats, j: int, told: list[Ints], degrees: list[Ints]) -> Floats:
        """(n, hidden) of one head, computed in place."""
        if told:
            pairs = [self.pair[j, i] for i in range(j)]
            rows = [each + pair * self.told_rows for each, pair in zip(told, pairs, strict=True)]
            rows += [
                each + (self.degree_rows + pair * relations.DEGREES) for each, pair in zip(degrees, pairs, strict=True)
            ]
            read += summed_rows(self.told, np.stack(rows, axis=1))
        return np.tanh(read, out=read)

    def _relate(self, logits: Floats, pair: int, before: Ints, other_before: Ints, after: Ints, motion: Ints) -> None:
        """Add what the intervals to a voice already drawn say of each candidate."""
        stood = self.interval_map[before, other_before] * relations.MOTIONS + motion
        stands = after * self.sounds + before
        said = _gather(self.harmony[pair], self.harmony_map.take(stands, axis=0), stood)
        said += _gather(self.spacing[pair], self.spacing_map.take(stands, axis=0), motion)
        logits += said


class _Chord:
    """The twin of `chord_head.ChordHead`."""

    def __init__(self, heads: Arrays, prefix: str, others: int) -> None:
        tables = np.concatenate([heads[prefix + "tables"], heads[prefix + "ending"]])  # (F + quarters left, 13, U)
        self.units = tables.shape[2]
        self.turned = np.ascontiguousarray(tables[:, relations.AROUND]).reshape(-1, 12 * self.units)
        self.first = 13 * np.arange(others)
        self.tally = heads[prefix + "tally"]
        self.told, self.told_bias = heads[prefix + "told.weight"].T, heads[prefix + "told.bias"]
        self.said = heads[prefix + "worth.weight"].T

    def worth(self, chord: Ints, left: Ints, tally: Floats, hidden: Floats) -> tuple[Floats, Floats]:
        """(n, 12) of beginning each pitch class, and (n, 12) of holding it."""
        ending = chord[:, -1] + 13 * (len(self.first) + left)
        rows = np.concatenate([chord + self.first, ending[:, None]], axis=1)
        seen = summed_rows(self.turned, rows).reshape(-1, 12, self.units)
        seen += tally @ self.tally
        seen += (hidden @ self.told + self.told_bias)[:, None]
        np.maximum(seen, 0, out=seen)
        worth = seen @ self.said
        return worth[..., 0], worth[..., 1]


def _gather(table: Floats, columns: Ints, rows: Ints | None = None) -> Floats:
    """(R, C) and (n, K) columns -> (n, K), each row from the table's row of the same number, or from a given one.

    By flat indices, which are several times quicker than an index for each axis. Overwrites `columns`.
    """
    first = np.arange(len(columns)) if rows is None else rows
    columns += (first * table.shape[1])[:, None]
    return table.take(columns)


def _add_copies(room: Floats, there: Ints, gates: Floats) -> None:
    """Add each lag's gate to the class that stood there: (n, columns), (n, L) columns and (n, L) gates."""
    first = np.arange(0, room.size, room.shape[1])
    np.add.at(room.reshape(-1), (first[:, None] + there).ravel(), gates.ravel())
