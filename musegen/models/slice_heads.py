"""The heads of left-to-right families: symbols voice by voice, each seeing those before it, then the length."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models import relations
from musegen.models.chord_head import ChordHead
from musegen.models.network import Noise
from musegen.models.recall import HALF_LIVES, LOOKS, RUN_LEVELS, STRAIN
from musegen.models.slice_batch import SliceBatch
from musegen.models.slices import MAX_LEFT, MODE_NAMES, STAGES
from musegen.models.vocabulary import Vocabulary

IMPOSSIBLE = -1e9
"""Logit of what cannot be: small enough that its probability is 0, finite so that gradients stay so."""
TALLIED = len(HALF_LIVES) * 12
"""Width of a slice's tallies."""


class SliceHeads(nn.Module):
    """From what the trunk says of a slice to the nats of its symbols, voice by voice, and of its length.

    Shapes (N slices, V voices, K classes, R hidden, S steps of the longest bar):
        (N, H) -> V times (N, K), each seeing the voices drawn before it -> (N, S)
    """

    def __init__(self, vocabulary: Vocabulary, context: int, hidden: int, dropout: float) -> None:
        super().__init__()
        v = self.vocabulary = vocabulary
        self.order = relations.drawing_order(v.voices)
        self.hidden, self.dropout = hidden, dropout
        self.read = nn.Linear(context, (v.voices + 1) * hidden)
        self.gate = nn.Linear(context, (v.voices + 1) * LOOKS)
        self.run_gate = nn.Parameter(torch.zeros(v.voices + 1, LOOKS, RUN_LEVELS))
        self.symbol = nn.ModuleList(nn.Linear(hidden, v.classes) for _ in range(v.voices))
        self.length = nn.Linear(hidden, v.longest_bar)
        # Row `target`, `drawn`: what a voice already drawn tells the one being drawn (or the length, last).
        pairs = [(j, i) for j in range(1, v.voices + 1) for i in range(j)]
        self.pair = {pair: index for index, pair in enumerate(pairs)}
        self.told = nn.Parameter(0.1 * torch.randn(len(pairs), 2 * (v.pitches + 1), hidden))
        self.told_degree = nn.Parameter(0.1 * torch.randn(len(pairs), relations.DEGREES, hidden))
        if v.voices == 1:
            # Form, which a melody's bars and compass tell; in chorales, few as they are, these only overfit.
            self.strain_gate = nn.Parameter(torch.zeros(2, LOOKS, STRAIN, RUN_LEVELS))
            self.left_gate = nn.Parameter(torch.zeros(2, LOOKS, MAX_LEFT + 1))
            self.compass = nn.Parameter(torch.zeros(2, STAGES, relations.DISTANCES))  # beyond the lowest and highest
        else:
            between = v.voices * (v.voices - 1) // 2
            stood, stands = relations.INTERVALS * relations.MOTIONS, relations.INTERVALS * relations.TURNS + 1
            self.harmony = nn.Parameter(torch.zeros(between, stood, stands))
            self.spacing = nn.Parameter(torch.zeros(between, relations.MOTIONS, relations.DISTANCES))
        # What the hidden units say by leap and by degree holds in every key, and is learnt from all of them at once.
        self.by_leap = nn.Parameter(torch.zeros(v.voices, hidden, relations.DISTANCES))
        self.by_degree = nn.Parameter(torch.zeros(v.voices, hidden, relations.DEGREES))
        self.leap = nn.Parameter(torch.zeros(v.voices, relations.DISTANCES))
        self.ending = nn.Parameter(torch.zeros(v.voices, MAX_LEFT + 1, relations.DEGREES))
        self.by_tally = nn.Parameter(torch.zeros(v.voices, hidden, TALLIED))
        self.tally = nn.Parameter(torch.zeros(v.voices, TALLIED))
        # What a voice hears: those drawn before it, all as they were, and the tonic.
        self.chord = nn.ModuleList(
            ChordHead(j + v.voices + 1, hidden, TALLIED, relations.CHORD_UNITS) for j in range(v.voices)
        )
        self.register_buffer("circle", torch.from_numpy(relations.CIRCLE), persistent=False)
        self.degree = nn.Parameter(torch.zeros(v.voices, len(MODE_NAMES) + 1, relations.DEGREES))
        for name in (
            "motion",
            "after",
            "interval",
            "harmony",
            "spacing",
            "leap",
            "degree",
            "pitch_class",
            "sound_class",
        ):
            table = getattr(relations, f"{name}_map")(v)
            self.register_buffer(f"{name}_map", torch.from_numpy(table), persistent=False)

    def forward(self, context: Tensor, batch: SliceBatch, noise: Noise) -> Tensor:
        """(N, H) -> (N, V + 1) nats of each voice's symbol, in drawing order, and of the length."""
        v = self.vocabulary
        n = context.shape[0]
        reads = self.read(context).view(n, v.voices + 1, self.hidden)
        gates = self.gate(context).view(n, v.voices + 1, LOOKS) + self._run_gates(batch)
        nats: list[Tensor] = []
        told: list[Tensor] = []  # for each drawn voice: its sound now, with whether it moved,
        degrees: list[Tensor] = []  # and its degree of the scale
        heard: list[Tensor] = []  # and its pitch class
        motions: list[Tensor] = []
        afters: list[Tensor] = []
        still = torch.ones_like(batch.joint)
        keep = noise.mask((v.voices + 1) * self.hidden, self.dropout).view(-1, v.voices + 1, self.hidden)[batch.piece]
        # (N, 12, H * 12): the tallies as each pitch class counts them from itself.
        around = batch.tally.to(context.dtype)[:, :, cast(Tensor, self.circle)].transpose(1, 2).flatten(2)
        sounded = cast(Tensor, self.sound_class_map)[batch.before]
        for j, voice in enumerate(self.order):
            before, event = batch.before[:, voice], batch.event[:, voice]
            hidden = torch.tanh(self._hear(reads[:, j], j, told, degrees)) * keep[:, j]
            logits = self.symbol[j](hidden) + self._melody(j, hidden, before, batch)
            if v.voices == 1:
                logits = logits + self._beyond(batch)
            logits = logits + self._recall(j, hidden, around)
            chord = torch.cat([*(drawn[:, None] for drawn in heard), sounded, batch.tonic[:, None]], dim=1)
            logits = logits + self._fit(self.chord[j](chord, batch.left, around, hidden), sounded[:, voice])
            logits = logits + self._copies(gates[:, j], voice, batch)
            for i, other in enumerate(self.order[:j]):
                logits = logits + self._relation(self.pair[j, i], before, batch.before[:, other], afters[i], motions[i])
            last = j == v.voices - 1
            stuck = still & ~batch.joint if last else torch.zeros_like(still)
            logits = self._possible(logits, before, stuck)
            nats.append(F.cross_entropy(logits, event, reduction="none"))
            moved = event != v.hold
            still = still & ~moved
            afters.append(cast(Tensor, self.after_map)[before, event])
            motions.append(cast(Tensor, self.motion_map)[before, event])
            heard.append(cast(Tensor, self.sound_class_map)[afters[-1]])
            told.append(2 * afters[-1] + moved)
            degrees.append(cast(Tensor, self.degree_map)[batch.tonic, afters[-1]])
        hidden = torch.tanh(self._hear(reads[:, v.voices], v.voices, told, degrees)) * keep[:, v.voices]
        lengths = F.pad(self.length(hidden).to(gates.dtype), (0, 1))
        index = torch.where(batch.look_length > 0, batch.look_length - 1, v.longest_bar)
        lengths = lengths.scatter_add(1, index, gates[:, v.voices])[:, : v.longest_bar]
        steps = torch.arange(1, v.longest_bar + 1, device=lengths.device)
        lengths = lengths.masked_fill(steps > batch.room[:, None], IMPOSSIBLE)
        nats.append(F.cross_entropy(lengths, batch.length - 1, reduction="none"))
        return torch.stack(nats, 1)

    def _boosted(self, name: str) -> Tensor:
        """A table as it counts; see `relations.BOOST`."""
        return relations.BOOST * cast(Tensor, getattr(self, name))

    def _run_gates(self, batch: SliceBatch) -> Tensor:
        """(N, V + 1, L): how much more a look back counts after so long an agreement, at this place of a strain."""
        looks = torch.arange(LOOKS, device=batch.run.device)
        gates = self._boosted("run_gate")[:, looks, batch.run]  # (V + 1, N, L)
        if self.vocabulary.voices == 1:
            gates = gates + self._boosted("strain_gate")[:, looks, batch.strain[:, None], batch.run]
            gates = gates + self._boosted("left_gate")[:, looks, batch.left[:, None]]
        return gates.transpose(0, 1)

    def _hear(self, read: Tensor, j: int, told: list[Tensor], degrees: list[Tensor]) -> Tensor:
        for i, (each, degree) in enumerate(zip(told, degrees, strict=True)):
            pair = self.pair[j, i]
            read = read + F.embedding(each, self.told[pair]) + F.embedding(degree, self.told_degree[pair])
        return read

    def _melody(self, j: int, hidden: Tensor, before: Tensor, batch: SliceBatch) -> Tensor:
        """(N, K): what the leap to each candidate and its degree of the scale are worth, here and on the whole."""
        leaps = hidden @ self.by_leap[j] + self._boosted("leap")[j]  # (N, distances)
        degrees = hidden @ self.by_degree[j] + F.embedding(batch.mode, self._boosted("degree")[j])  # (N, 13)
        degrees = degrees + F.embedding(batch.left, self._boosted("ending")[j])
        by_leap = leaps.gather(1, cast(Tensor, self.leap_map)[before])
        return by_leap + degrees.gather(1, cast(Tensor, self.degree_map)[batch.tonic])

    def _beyond(self, batch: SliceBatch) -> Tensor:
        """(N, K): what it means to each candidate how far beyond the melody's compass it lies."""
        distance = cast(Tensor, self.leap_map)[batch.compass[:, 0]]  # (N, 2, K)
        worth = self._boosted("compass")[:, batch.stage].transpose(0, 1)  # (N, 2, distances)
        return worth.gather(2, distance).sum(1)

    def _recall(self, j: int, hidden: Tensor, around: Tensor) -> Tensor:
        """(N, K): what the tallies, as each candidate's pitch class counts them from itself, say of it."""
        weights = hidden @ self.by_tally[j] + self._boosted("tally")[j]  # (N, H * 12)
        said = torch.bmm(around, weights[..., None])[..., 0]  # (N, 12)
        return F.pad(said, (0, 1))[:, cast(Tensor, self.pitch_class_map)]

    def _fit(self, worth: Tensor, sounded: Tensor) -> Tensor:
        """(N, K): how well each candidate fits the chord, from (N, 12, 2) and the voice's own (N,) pitch class."""
        begun = F.pad(worth[..., 0], (0, 1))[:, cast(Tensor, self.pitch_class_map)]
        held = F.pad(worth[..., 1], (0, 1)).gather(1, sounded[:, None])
        return torch.cat([begun[:, : self.vocabulary.hold], begun[:, self.vocabulary.hold :] + held], dim=1)

    def _copies(self, gate: Tensor, voice: int, batch: SliceBatch) -> Tensor:
        """(N, K): a gate for each lag, on the class that stood there."""
        empty = gate.new_zeros(gate.shape[0], self.vocabulary.classes + 1)
        return empty.scatter_add(1, batch.look_event[:, :, voice], gate)[:, :-1]

    def _relation(self, pair: int, before: Tensor, other_before: Tensor, after: Tensor, motion: Tensor) -> Tensor:
        """(N, K): what the intervals to a voice already drawn say of each candidate."""
        stood = cast(Tensor, self.interval_map)[before, other_before] * relations.MOTIONS + motion
        harmony = F.embedding(stood, self._boosted("harmony")[pair]).gather(
            1, cast(Tensor, self.harmony_map)[after, before]
        )
        spacing = F.embedding(motion, self._boosted("spacing")[pair]).gather(
            1, cast(Tensor, self.spacing_map)[after, before]
        )
        return harmony + spacing

    def _possible(self, logits: Tensor, before: Tensor, stuck: Tensor) -> Tensor:
        """Rule out a rest after a rest (that is a hold), and a hold where some voice has to move and none has."""
        v = self.vocabulary
        mask = torch.zeros_like(logits, dtype=torch.bool)
        mask[:, v.rest] = before == v.rest
        mask[:, v.hold] = stuck
        return logits.masked_fill(mask, IMPOSSIBLE)
