"""Two processes that train one model together, as torchrun starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.training.loop import train
from tests.toys import SETTINGS, run_of

ROOT = Path(__file__).resolve().parents[2]


def torchrun(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command += ["-m", "musegen", "train", *map(str, arguments), "--precision", "float32"]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=120)


def told(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("name", ["vae"])
def test_two_processes_learn_what_one_does(corpora, tmp_path, name):
    # The last batch of an epoch has one piece of the eight: the second process has none of it.
    alone = run_of(name, corpora["chorales"], tmp_path / "alone.safetensors", 3, settings={"batch": 7},
                   log=tmp_path / "alone.jsonl")  # fmt: skip
    train(alone)
    values = [f"--set={key}={value}" for key, value in (SETTINGS[name] | {"batch": 7}).items()]
    out, log = tmp_path / "two.safetensors", tmp_path / "two.jsonl"
    result = torchrun(name, corpora["chorales"], "-o", out, "--epochs", 3, "--seed", 1, "--log", log, *values)
    assert result.returncode == 0, result.stderr
    one, two = told(tmp_path / "alone.jsonl"), told(log)
    assert (one[0]["processes"], two[0]["processes"]) == (1, 2)
    assert [line["event"] for line in two] == ["start", "epoch", "epoch", "epoch", "end"]
    for a, b in zip(one[1:-1], two[1:-1], strict=True):
        assert (b["train"], b["validation"]) == pytest.approx((a["train"], a["validation"]), abs=1e-4)
    assert result.stderr.count("epoch 3:") == 1, "one process talks"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "alone.jsonl", "alone.safetensors", "two.jsonl", "two.safetensors",
    ]  # fmt: skip
    weights = load_checkpoint(out).weights
    for each, array in load_checkpoint(tmp_path / "alone.safetensors").weights.items():
        assert np.allclose(weights[each], array, atol=1e-3), each


def test_two_processes_that_choose_a_seed_choose_the_same(corpora, tmp_path):
    out, log = tmp_path / "two.safetensors", tmp_path / "two.jsonl"
    values = [f"--set={key}={value}" for key, value in SETTINGS["feedforward"].items()]
    result = torchrun("feedforward", corpora["tunes"], "-o", out, "--minutes", 0.02, "--log", log, *values)
    assert result.returncode == 0, result.stderr
    start, *epochs, end = told(log)
    seed = start["seed"]
    assert f"seed {seed}" in result.stderr
    again = run_of("feedforward", corpora["tunes"], tmp_path / "one.safetensors", 1, seed=seed,
                   log=tmp_path / "one.jsonl")  # fmt: skip
    train(again)
    # The rate of learning hangs on the number of steps, which a time budget chooses; the first step does not.
    assert end["event"] == "end" and epochs
    assert load_checkpoint(out).card["seed"] == seed
