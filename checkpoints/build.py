"""Train the shipped models anew: `make checkpoints`. Interrupted, it goes on where it stopped.

With `--cards` nothing is trained: what a family can tell of its training pieces (where a vae's latent space has more of
an attribute) is learnt anew, and only the card in the file changes.

Every model is one command of the command line with a fixed seed and number of epochs, so that anyone gets the same one
from the same corpora; its weights are then rounded to half precision.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from musegen.checkpoints import load_checkpoint
from musegen.corpora import open_corpus

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RUNS = ROOT / "runs"

MODELS = {  # name -> family, corpus and options
    "bach-lstm": "lstm bach --epochs 36 --set hidden=320 --set dropout=0.6 --set head_dropout=0.3",
    "bach-feedforward": "feedforward bach --epochs 24 --set dropout=0.5",
    "bach-vae": "vae bach --epochs 24 --set dropout=0.5",
    "bach-minibach": "minibach bach --epochs 8",
    "bach-coconet": "coconet bach --epochs 100",
    "celtic-lstm": "lstm celtic --epochs 10 --set batch=16 --set dropout=0.3",
    "celtic-feedforward": "feedforward celtic --epochs 8 --set batch=16 --set dropout=0.3",
    "celtic-vae": "vae celtic --epochs 6 --set batch=16 --set dropout=0.3",
}


def build(name: str) -> None:
    """Train one model, or go on with it, and write it to this folder."""
    run = f"{RUNS.name}/{name}.safetensors"  # relative, since the command goes into the card
    options = f"--seed 1 --evaluate -o {run} --log {RUNS.name}/{name}.jsonl --resume"
    command = [sys.executable, "-m", "musegen", "train", *MODELS[name].split(), *options.split()]
    subprocess.run(command, check=True, cwd=ROOT)
    load_checkpoint(ROOT / run).save(HERE / f"{name}.safetensors", half=True, overwrite=True)


def learn_card(name: str) -> None:
    """Let a model that stands tell of its training pieces; its weights stay as they are."""
    from musegen.training.result import with_learnt

    model = load_checkpoint(HERE / f"{name}.safetensors")
    told = with_learnt(model, open_corpus(model.card["corpus"]["name"]))
    told.save(HERE / f"{name}.safetensors", half=True, overwrite=True)


def main(arguments: list[str]) -> None:
    """Build the models that are named, or all."""
    names = [each for each in arguments if each != "--cards"] or list(MODELS)
    RUNS.mkdir(exist_ok=True)
    for name in names:
        print(f"== {name}", flush=True)
        if "--cards" in arguments:
            learn_card(name)
        else:
            build(name)


if __name__ == "__main__":
    main(sys.argv[1:])
