"""What the quality benchmark trains, what it cites, and what it calls things."""

from __future__ import annotations

from findings import cited

from musegen.evaluation.chorales import FIFTHS, OCTAVES, TONIC

OURS = {  # job -> family, corpus and options of `musegen train`; a name alone is a shipped model, which is not trained
    "P1/lstm": "lstm runs/jsb.safetensors --epochs 36 --set hidden=320 --set dropout=0.6 --set head_dropout=0.3",
    "P1/feedforward": "feedforward runs/jsb.safetensors --epochs 24 --set dropout=0.5",
    "P1/vae": "vae runs/jsb.safetensors --epochs 24 --set dropout=0.5",
    "P4/lstm": "lstm runs/nottingham.safetensors --epochs 14 --set batch=16 --set dropout=0.4",
    "P4/feedforward": "feedforward runs/nottingham.safetensors --epochs 8 --set batch=16 --set dropout=0.3",
    "P5/minibach": "minibach runs/jsb-windows.safetensors --epochs 5",
    "own bach/lstm": "bach-lstm",
    "own celtic/lstm": "celtic-lstm",
    "P6/lstm": "bach-lstm",
}

TITLES = {
    "P1": "JSB chorales on sixteenths, nats per note",
    "P4": "Nottingham melodies on sixteenths, nats per step",
    "P5": "harmonizing JSB sopranos",
    "own bach": "the shipped corpus `bach`, nats per quarter",
    "own celtic": "the shipped corpus `celtic`, nats per quarter",
    "P6": "musical statistics",
    "drawing": "notes drawn per second of one processor",
}

HOW = {
    "P1": "382 pieces (229 train, 76 valid, 77 test of 75,600 cells), split as published; a note is a cell. `test` "
    "has all that a piece costs: ours are told its length and key, which are estimated from all of it, and pay for "
    "both; `frame told` leaves that out. `clean test`: the 45 pieces whose soprano has no twin in the training pieces.",
    "P4": "1,034 pieces (853 train, 88 valid, 93 test of 51,794 steps), split by file name. Of 196,961 notes "
    "2,562 are off the sixteenths and went to the nearest, 87 were dropped since that was taken, 750 in 20 "
    "files were shortened or left out since two sounded at once. Ours are told and pay for length, first metre "
    "and first key, and are told no change of these. N-grams are Witten-Bell, of as many symbols before as the "
    "order says.",
    "P5": "Windows of 64 sixteenths (271 in test), soprano given, the other three voices foretold: nats per token, "
    "and the shares of onsets, of sounds with holds resolved, and of tokens whose likeliest symbol is the "
    "true one. Ours are told a key too, estimated from the soprano of the window.",
    "own bach": "Our split. The GRU has as many parameters as the lstm, and knows the symbols alone.",
    "own celtic": "Our split. The GRU has as many parameters as the lstm, and knows the symbols alone.",
    "P6": "100 chorales by the shipped model, seed 1, its defaults, no filter; beside Bach's own. Copied bars are "
    "of what sounds where the file does not tell a repeated note from a long one.",
    "drawing": "Cells of all voices; the GRU has fresh weights.",
}

CITED = (
    cited("P1", "GRU 3 x 100 with chord tokens (a TonicNet port)", {"valid": 0.448, "test": 0.457, "clean test": 0.476},
          220_000, "run by us earlier"),
    cited("P1", "transformer, rotary positions", {"test": 0.508}, 4_800_000, "published"),
    cited("P1", "transformer, polar positions", {"test": 0.489}, 4_800_000, "published"),
    cited("P1", "the same, transposed by up to 3 semitones", {"test": 0.3936}, 4_800_000, "a replication"),
    cited("P1", "Music Transformer", {"valid": 0.335}, None, "claimed, nobody seen to reproduce it"),
    cited("P1", "Markov with place in beat and run length", {"valid": 0.695, "test": 0.729}, None, "run by us earlier"),
    cited("P4", "n-gram, order 4", {"test": 1.067, "test, per onset": 2.95}, None, "run by us earlier"),
    cited("P4", "LSTM 2 x 256 with metre, bar and beat", {"test": 1.004}, None, "rough trial of ours, 12 min"),
    cited("P4", "the same with a look back by bars", {"test": 0.562}, None, "rough trial of ours, 12 min"),
    cited("P5", "one hidden layer of 200", {
        "nats per token": 0.809, "onsets": 0.160, "pitches": 0.283, "tokens": 0.771}, None, "run by us earlier"),
    cited("P6", "GRU 3 x 100 with chord tokens, temperature 1", {
        FIFTHS: 27, OCTAVES: 23, "triads": 0.677, "dissonant pairs": 0.093,
        "voices crossed": 0.009, "pitch-class entropy, bits": 2.99, "copied bars": 0.023,
    }, 220_000, "run by us earlier"),
    cited("drawing", "GRU 3 x 256, batch of 64", {"notes per CPU second": 12_100}, None, "measured by us earlier"),
)  # fmt: skip

HARMONIES = (
    FIFTHS,
    OCTAVES,
    "triads",
    "dissonant pairs",
    "voices crossed",
    "pitch-class entropy, bits",
    "mean note length, quarters",
    TONIC,
)
SAMPLED = 100
ORDERS = (1, 2, 3, 4, 5, 6, 8)
PUBLISHED_MINUTES = 10.0
"""Processor time of a GRU whose size was published."""
