"""A run that is stopped, however and wherever, and resumed ends exactly as one that was left alone."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from musegen import files, storage
from musegen.checkpoints import load_checkpoint
from musegen.cli import cli
from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.training import loop
from musegen.training.loop import train
from musegen.training.run import Budget, recorded_seed, state_path
from tests.toys import SETTINGS, run_of

ROOT = Path(__file__).resolve().parents[2]
TIMING = {"seconds", "left", "notes_per_second"}
STOPPED = """
import os, sys
from musegen import __main__ as program
from musegen.training import loop
step_of = loop._Training._step
def step(self, batch):
    step_of(self, batch)
    if self.progress.step == {step}:
        os.kill(os.getpid(), {number})
loop._Training._step = step
program.main()
"""


class Killed(BaseException):
    """Stands for a kill: no handler tidies up after it."""


def figures(log: Path) -> list[dict[str, object]]:
    """The log without what hangs on the clock, nor where the run was resumed."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [
        {key: value for key, value in line.items() if key not in TIMING} for line in lines if line["event"] != "resume"
    ]


def same_model(one: Path, other: Path) -> None:
    first, second = load_checkpoint(one), load_checkpoint(other)
    assert first.weights.keys() == second.weights.keys()
    for name, array in first.weights.items():
        assert np.array_equal(array, second.weights[name]), name
    told = [{k: v for k, v in dict(m.card).items() if k not in ("seconds", "command")} for m in (first, second)]
    assert told[0] == told[1]


@pytest.fixture(scope="module")
def whole(corpora, tmp_path_factory):
    """An uninterrupted run of four epochs of three steps."""
    folder = tmp_path_factory.mktemp("whole")
    train(run_of("vae", corpora["chorales"], folder / "whole", 4, log=folder / "whole.jsonl"))
    return folder / "whole"


def command(corpora, out):
    values = [f"--set={key}={value}" for key, value in SETTINGS["vae"].items()]
    files = ["train", "vae", corpora["chorales"], "-o", out, "--log", out.with_suffix(".jsonl")]
    return [str(each) for each in (*files, "--epochs", 4, "--seed", 1, "--precision", "float32", *values)]


def test_stopped_by_every_signal_and_resumed(corpora, whole, tmp_path):
    out = tmp_path / "cut"
    first = command(corpora, out)
    for number, code, step in ((signal.SIGINT, 130, 2), (signal.SIGKILL, -9, 8), (signal.SIGTERM, 143, 10)):
        result = subprocess.run(
            [sys.executable, "-c", STOPPED.format(step=step, number=int(number)), *first],
            env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
        assert state_path(out).exists()
        if number != signal.SIGKILL:
            assert storage.load_header(state_path(out), "training state")["progress"]["step"] == step
            assert "--resume goes on from here" in result.stderr
        first = [*command(corpora, out), "--resume"]
    cli.main(first, standalone_mode=False)
    same_model(whole, out)
    assert figures(out.with_suffix(".jsonl")) == figures(whole.with_suffix(".jsonl"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "cut.jsonl"]


@pytest.mark.parametrize("step", [0, 1, 2, 7, 11], ids="after step {}".format)
def test_stopped_after_any_step(corpora, whole, tmp_path, step):
    out, log = tmp_path / "cut", tmp_path / "cut.jsonl"

    def stop(event):
        if event["event"] == "step" and event["step"] == step + 1:
            os.kill(os.getpid(), signal.SIGINT)

    def ask(resume, report):
        train(run_of("vae", corpora["chorales"], out, 4, log=log, resume=resume), report)

    with pytest.raises(KeyboardInterrupt):
        ask(False, stop)
    assert storage.load_header(state_path(out), "training state")["progress"]["step"] == step + 1
    ask(True, lambda event: None)
    same_model(whole, out)
    assert figures(log) == figures(whole.with_suffix(".jsonl"))
    assert not state_path(out).exists()


@pytest.mark.parametrize("after", [False, True], ids=["before a file is written", "after"])
def test_killed_around_every_file_that_is_written(corpora, whole, tmp_path, monkeypatch, after):
    out, log = tmp_path / "cut", tmp_path / "cut.jsonl"
    writes = {"left": 0, "done": 0}

    def write(*arguments, **others):
        writes["left"] -= 1
        if writes["left"] == 0 and not after:
            raise Killed
        files.write_atomic(*arguments, **others)
        writes["done"] += 1
        if writes["left"] == 0:
            raise Killed

    monkeypatch.setattr(storage, "write_atomic", write)
    for turn in range(30):  # each session gets one file further than the last one got
        writes["left"] = 1 + turn % 3 if after else 2 + turn % 3
        try:
            train(run_of("vae", corpora["chorales"], out, 4, log=log, resume=turn > 0, settings=SETTINGS["vae"]))
            break
        except Killed:
            assert state_path(out).exists() or not out.exists(), "an unfinished run looks finished"
    else:
        pytest.fail("the run never ended")
    assert turn > 4
    same_model(whole, out)
    assert figures(log) == figures(whole.with_suffix(".jsonl"))


def test_a_state_of_another_run_is_refused(corpora, tmp_path):
    out = tmp_path / "cut"

    def stop(event):
        if event["event"] == "step":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(run_of("lstm", corpora["tunes"], out, 3, seed=7), stop)
    assert recorded_seed(out) == 7
    for name, others in (
        ("epochs", {"epochs": 4}),
        ("seed", {"seed": 8}),
        ("settings", {"settings": {"layers": 1}}),
        ("minutes", {"epochs": None, "budget": Budget(None, 1.0)}),
    ):
        wanted = {"epochs": 3, "seed": 7} | others
        with pytest.raises(MusegenError, match=rf"state of a run with another .*{name}.*delete it to start anew"):
            train(run_of("lstm", corpora["tunes"], out, resume=True, **wanted))
    with pytest.raises(MusegenError, match=r"another family, corpus, settings"):
        train(run_of("feedforward", corpora["chorales"], out, 3, seed=7, resume=True))
    stored = storage.load(state_path(out), "training state")
    fewer = {name: array.copy() for name, array in stored.arrays.items() if name != "weights/heads.leap"}
    storage.save(state_path(out), "training state", stored.header, fewer, overwrite=True)
    with pytest.raises(MusegenError, match="by another version"):
        train(run_of("lstm", corpora["tunes"], out, 3, seed=7, resume=True))
    state_path(out).write_bytes(state_path(out).read_bytes()[:-1])
    with pytest.raises(MusegenError, match=r"cut.state is cut short"):
        train(run_of("lstm", corpora["tunes"], out, 3, seed=7, resume=True))


def test_resuming_needs_no_seed_and_a_finished_run_says_so(corpora, tmp_path, capfd):
    out = tmp_path / "cut"
    values = [f"--set={key}={value}" for key, value in SETTINGS["feedforward"].items()]
    asked = ["train", "feedforward", str(corpora["tunes"]), "-o", str(out), "--epochs", "2", *values]
    asked += ["--precision", "float32"]

    def stop(event):
        if event["event"] == "step":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(run_of("feedforward", corpora["tunes"], out, 2, seed=99), stop)
    cli.main([*asked, "--resume"], standalone_mode=False)
    assert "resumed at step 1" in capfd.readouterr().err
    assert load_checkpoint(out).card["seed"] == 99
    before = out.read_bytes()
    cli.main([*asked, "--resume"], standalone_mode=False)
    assert "is finished: there is nothing to resume" in capfd.readouterr().err
    assert out.read_bytes() == before


def test_a_full_disk_leaves_the_old_files_whole(corpora, trained, tmp_path, monkeypatch):
    out = tmp_path / "model"
    out.write_bytes(trained("lstm", "tunes").read_bytes())
    before = out.read_bytes()
    real, opened = Path.open, []

    def full(self, *arguments, **others):
        file = real(self, *arguments, **others)
        if self.name.endswith(".part"):
            opened.append(self)
            if len(opened) > 1:

                def refuse(_lines):
                    file.write(b"half of it")
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

                return _Full(file, refuse)
        return file

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(MusegenError, match=r"cannot write .*: no space left on device"):
        train(run_of("lstm", corpora["tunes"], out, 2, overwrite=True))
    monkeypatch.undo()
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.state"]
    train(run_of("lstm", corpora["tunes"], out, 2, resume=True))
    same_model(trained("lstm", "tunes"), out)


class _Full:
    """A file on a disk that has room for little more."""

    def __init__(self, file, writelines):
        self._file, self.writelines = file, writelines

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_the_state_is_saved_now_and_then(corpora, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
    out, steps = tmp_path / "model", []

    def look(event):
        if event["event"] == "step":
            steps.append(storage.load_header(state_path(out), "training state")["progress"]["step"])

    train(run_of("lstm", corpora["tunes"], out, 2), look)
    assert steps == list(range(len(steps))) and len(steps) == 6
    assert open_corpus(corpora["tunes"]).split("train")
