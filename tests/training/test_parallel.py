"""Two processes that train one model together, as torchrun starts them."""

from __future__ import annotations

import json
import os
import re
import signal
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
    command += ["-m", "musegen", "train", *map(str, arguments), "--precision", "float32"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes) as process:
        try:
            out, err = process.communicate(timeout=100)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # processes that wait for one another
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def epochs(said: str) -> list[tuple[float, float]]:
    """Losses on training and held-out music that were told on stderr."""
    found = re.findall(r"^epoch \d+: train ([\d.]+), held-out ([\d.]+)", said, re.MULTILINE)
    return [(float(train), float(held_out)) for train, held_out in found]


def test_two_processes_learn_what_one_does(corpora, tmp_path):
    # The last batch of an epoch has one piece of the eight: the second process has none of it.
    values = [f"--set={key}={value}" for key, value in (SETTINGS["vae"] | {"batch": 7}).items()]
    result = torchrun("vae", corpora["chorales"], "-o", tmp_path / "two", "--epochs", 3, *values)
    assert result.returncode == 0, result.stderr
    (seed,) = map(int, re.findall(r"^seed (\d+)$", result.stderr, re.MULTILINE))  # drawn by one for both
    log = tmp_path / "alone.jsonl"
    train(run_of("vae", corpora["chorales"], tmp_path / "alone", 3, seed=seed, settings={"batch": 7}, log=log))
    alone = [json.loads(line) for line in log.read_text().splitlines()][1:-1]
    assert len(alone) == 3
    told = [pytest.approx((line["train"], line["validation"]), abs=1.5e-4) for line in alone]  # with 4 digits
    assert epochs(result.stderr) == told, "and one process talks"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "alone.jsonl", "two"]
    one, two = load_checkpoint(tmp_path / "alone"), load_checkpoint(tmp_path / "two")
    assert two.card["seed"] == seed
    assert two.card["validation"] == pytest.approx(one.card["validation"], abs=1e-4)
    assert all(np.allclose(two.weights[each], array, atol=1e-3) for each, array in one.weights.items())
