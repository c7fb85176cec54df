"""Training: one step after another until the budget is spent or held-out music stops getting easier."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.files import check_writable
from musegen.models.base import Example
from musegen.models.network import Batch as Tensors
from musegen.models.network import Noise
from musegen.training import parallel
from musegen.training.batches import Batch, collate, measuring_batches, prepare, training_batches
from musegen.training.hardware import device_of, in_bfloat16
from musegen.training.log import Log
from musegen.training.result import begin_from, checkpoint_of, style_of, with_learnt
from musegen.training.run import Run
from musegen.training.schedule import Calibration, learning_rate
from musegen.training.state import State
from musegen.training.stopping import Stop, deferred_stop

Report = Callable[[dict[str, Any]], None]

SAVE_EVERY = 30.0
"""Seconds between saved states."""
CLIP = 1.0
"""Largest norm of a gradient."""


def train(run: Run, report: Report = lambda event: None) -> Checkpoint:
    """Train a model and write its checkpoint.

    The checkpoint is written whenever held-out music got easier, so that there is always the best one to use; the state
    of the run lies beside it until the end.

    Args:
        run: what to do.
        report: is given each event that the log gets, and a `step` event after every step.

    Returns:
        The best model.

    Raises:
        MusegenError: files cannot be written, or the state to resume is of another run.
        KeyboardInterrupt: the run was stopped; its state is saved.
    """
    world = parallel.join()
    try:
        run = replace(run, seed=world.same(run.seed))  # which each process may have drawn for itself
        return _Training(run, report, world).run()
    finally:
        world.leave()


class _Training:
    """One run. Everything random in it is a function of the seed and the step."""

    def __init__(self, run: Run, report: Report, world: parallel.World) -> None:
        self.plan, self.report, self.world = run, report, world
        if world.rank == 0:
            check_writable(run.out, overwrite=run.resume or run.overwrite)
        self.device = device_of(run.device, world)
        self.half = in_bfloat16(run.precision, self.device)
        self.examples = self._examples("train")
        if not self.examples:
            raise MusegenError(f"no training piece of {run.corpus.name} has the length and range for {run.family.name}")
        self.held_out = measuring_batches(self._examples("validation"), run.settings.batch)
        torch.manual_seed(run.seed)
        try:
            network = run.family.network(run.vocabulary, run.settings).to(self.device)
            if run.base:
                begin_from(network, run.base)
            self.state = State(network, run.settings.learning_rate, run.settings.weight_decay)
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            raise MusegenError("a model with these settings does not fit into memory", "Make it smaller.") from error
        self.progress = self.state.progress
        self.log, self.style = Log(run.log), style_of(run)
        self.engine = world.engine(network)
        self.parameters = sum(parameter.numel() for parameter in network.parameters())
        self.session_began = time.monotonic()
        self.saved = time.monotonic()
        self.pace = 0.0  # seconds per step, of late
        held_out = sum(batch.cells for batch in self.held_out) / sum(example.cells for example in self.examples)
        self.calibration = Calibration(run.budget.minutes, held_out) if run.budget.minutes else None

    def run(self) -> Checkpoint:
        """Train to the end."""
        steps = math.ceil(len(self.examples) / self.plan.settings.batch)
        resumed = self._resume()
        if self.plan.budget.minutes is None and self.progress.total is None:
            self.progress.total = steps * (self.plan.budget.epochs or self.plan.settings.epochs)
        self._log(
            "resume" if resumed else "start",
            family=self.plan.family.name,
            corpus=self.plan.corpus.name,
            parameters=self.parameters,
            pieces=len(self.plan.corpus.split("train")),
            steps_per_epoch=steps,
            seed=self.plan.seed,
            step=self.progress.step,
            device=str(self.device),
            precision="bfloat16" if self.half else "float32",
            processes=self.world.size,
        )
        if not resumed:
            self._save()  # whoever resumes can tell a run that was stopped at once from one that is done
        with deferred_stop() as stop:
            while not self.progress.done:
                self._epoch(stop)
        checkpoint = checkpoint_of(self.plan, self.state, self.style, self._seconds())
        if self.world.rank == 0:
            checkpoint = with_learnt(checkpoint, self.plan.corpus)
            checkpoint.save(self.plan.out, overwrite=True)
        self._log(
            "end", best=self.progress.best, best_epoch=self.progress.best_epoch + 1, seconds=round(self._seconds(), 1)
        )
        if self.world.rank == 0:
            self.plan.state_path.unlink(missing_ok=True)  # last, so that a run is done once all of it is written
        return checkpoint

    def _epoch(self, stop: Stop) -> None:
        p, settings = self.progress, self.plan.settings
        batches = training_batches(self.examples, settings.batch, self.plan.seed, p.epoch)
        began, done = time.monotonic(), p.cells
        for batch in batches[p.batch :]:
            if p.total is not None and p.step >= p.total:
                break
            self._pause(stop)
            self._step(batch)
        rate = (p.cells - done) / max(1e-9, time.monotonic() - began)
        held_out = self._measure(stop)
        training = p.nats / max(1, p.cells)
        score = training if held_out is None else held_out
        if not math.isfinite(score):
            raise _diverged(p.step, score)
        if p.best is None or score < p.best:
            p.best, p.best_train, p.best_epoch = score, training, p.epoch
            self.state.keep_best()
            if self.world.rank == 0:
                checkpoint_of(self.plan, self.state, self.style, self._seconds()).save(self.plan.out, overwrite=True)
        stale = p.epoch - p.best_epoch >= settings.patience
        p.done = stale or (p.total is not None and p.step >= p.total)
        p.epoch, p.batch, p.nats, p.cells = p.epoch + 1, 0, 0.0, 0
        self._log(
            "epoch",
            epoch=p.epoch,
            step=p.step,
            of=p.total,
            train=training,
            validation=held_out,
            best=p.best,
            learning_rate=learning_rate(settings.learning_rate, p.step, p.total),
            notes_per_second=round(rate),
            seconds=round(self._seconds(), 1),
            left=round(self._left(), 1),
            stale=stale,
        )
        self._save()

    def _step(self, batch: Batch) -> None:
        """Lower the loss on one batch. The gradient is that of the whole batch, however many processes share it."""
        p = self.progress
        began = time.monotonic()
        for group in self.state.optimiser.param_groups:
            group["lr"] = learning_rate(self.plan.settings.learning_rate, p.step, p.total)
        mine, rows = batch.share(self.world.rank, self.world.size)
        if idle := not rows:  # a last batch with fewer pieces than processes, which yet wait for one another
            mine, rows = batch.share(0, len(batch.examples))
        self.state.optimiser.zero_grad(set_to_none=True)
        loss, nats = self._forward(mine, rows, len(batch.examples), batch.cells, learning=True, idle=idle)
        if idle:
            loss, nats = loss * 0.0, 0.0
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.state.network.parameters(), CLIP)
        self.state.optimiser.step()
        self.state.follow(self.plan.settings.averaging)
        total = self.world.sum(nats)
        if not math.isfinite(total):
            raise _diverged(p.step + 1, total)
        p.step, p.batch = p.step + 1, p.batch + 1
        p.nats, p.cells = p.nats + total, p.cells + batch.cells
        seconds = time.monotonic() - began
        self.pace = 0.95 * self.pace + 0.05 * seconds if self.pace else seconds
        if self.calibration and p.total is None:
            # The first process decides for all, since each has its own clock.
            p.total = self.world.same(self.calibration.total(p.step, seconds, self._seconds())) or None
        self.report(
            {
                "event": "step",
                "step": p.step,
                "of": p.total,
                "train": p.nats / p.cells,
                "notes_per_second": round(batch.cells / max(1e-9, seconds)),
                "left": self._left(),
            }
        )

    def _forward(
        self, mine: Batch, rows: list[int], pieces: int, cells: int, learning: bool, idle: bool = False
    ) -> tuple[torch.Tensor, float]:
        """A share of a batch -> the loss to lower, and its nats."""
        seed, step = (self.plan.seed, self.progress.step) if learning else (0, 0)
        noise = Noise(seed, step, pieces, rows, self.device, learning=learning, counts=not idle)
        engine = self.engine if learning else self.state.network
        with torch.autocast(self.device.type, torch.bfloat16) if self.half else nullcontext():
            loss, nats = engine(self._tensors(mine), noise)
        return loss * (self.world.size / cells), float(nats)

    def _tensors(self, batch: Batch) -> Tensors:
        arrays = collate(self.plan.family, batch, self.plan.vocabulary)
        return {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}

    def _measure(self, stop: Stop) -> float | None:
        """The held-out loss of the averaged weights; None without held-out music."""
        if not self.held_out:
            return None
        named = dict(self.state.network.named_parameters())
        kept = {name: tensor.detach().clone() for name, tensor in named.items()}
        nats = 0.0
        try:
            with torch.no_grad():
                for name, tensor in named.items():
                    tensor.copy_(self.state.average[name])
                for number, batch in enumerate(self.held_out):
                    if number % self.world.size == self.world.rank:
                        rows = list(range(len(batch.examples)))
                        nats += self._forward(batch, rows, len(rows), batch.cells, learning=False)[1]
                    if stop.asked and self.world.size == 1:
                        break
        finally:
            with torch.no_grad():
                for name, tensor in named.items():
                    tensor.copy_(kept[name])
        self._pause(stop)
        return self.world.sum(nats) / sum(batch.cells for batch in self.held_out)

    def _pause(self, stop: Stop) -> None:
        """Save the state now and then, and when the run is to stop."""
        stopping = self.world.any(stop.asked)
        if stopping or time.monotonic() - self.saved > SAVE_EVERY:
            self._save()
        if stopping:
            stop.now()

    def _save(self) -> None:
        self.progress.seconds = self._seconds()
        self.session_began = time.monotonic()
        if self.world.rank == 0:
            self.state.save(self.plan.state_path, self.plan.identity())
        self.saved = time.monotonic()

    def _resume(self) -> bool:
        path = self.plan.state_path
        if not self.plan.resume or not path.exists():
            if self.world.rank == 0:
                self.log.begin(self.plan.overwrite, keep=self.plan.resume)
            return False
        self.state.load(path, self.plan.identity())
        self.progress = self.state.progress
        if self.world.rank == 0:
            self.log.go_on(self.progress.log, self.progress.log_bytes)
        return True

    def _log(self, event: str, **values: Any) -> None:
        """Report an event and append it to the log; the log is on disk before the state that counts it."""
        if self.world.rank:
            return
        line = {"event": event} | values
        self.report(line)
        self.progress.log, self.progress.log_bytes = self.log.name, self.log.write(line)

    def _seconds(self) -> float:
        return self.progress.seconds + time.monotonic() - self.session_began

    def _left(self) -> float:
        p = self.progress
        if p.total is None:
            return 60 * (self.plan.budget.minutes or 0.0) - self._seconds()
        return self.pace * (p.total - p.step)

    def _examples(self, split: str) -> list[Example]:
        run = self.plan
        rolls = (run.corpus.roll(index) for index in run.corpus.split(split))
        examples, left_out = prepare(run.family, rolls, run.vocabulary, run.settings)
        if left_out and self.world.rank == 0:
            self.report({"event": "left_out", "split": split, "pieces": left_out})
        return examples


def _diverged(step: int, loss: float) -> MusegenError:
    return MusegenError(
        f"training diverged at step {step}: the loss is {loss}",
        "Train with a lower rate, such as --set learning_rate=0.001.",
    )
