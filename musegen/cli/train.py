"""`musegen train`: learn a style from a corpus."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musegen.cli import options
from musegen.cli.encode import summarize
from musegen.cli.output import Output
from musegen.cli.talk import EVERY_SECONDS, duration, silent, talk
from musegen.errors import MusegenError
from musegen.files import check_writable

if TYPE_CHECKING:
    from tqdm import tqdm

    from musegen.checkpoints import Checkpoint
    from musegen.corpora import Corpus
    from musegen.models.base import Settings


@click.command()
@click.argument("family_name", metavar="FAMILY")
@click.argument("corpus_name", metavar="[CORPUS]", default="bach")
@options.output("Checkpoint to write, such as my-bach.safetensors.", check=False)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the music at most.")
@click.option("--minutes", type=options.Number(min=0, min_open=True), help="Train for about so long, instead.")
@click.option("--resume", is_flag=True, help="Go on from where an interrupted run of the same command stopped.")
@click.option("--from", "base_name", metavar="CHECKPOINT", help="Begin with the weights of a trained model.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the family; repeatable.")
@options.device
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Of matrix products; auto takes bfloat16 where the processor gains from it.",
)
@options.seed
@click.option("--evaluate", "evaluated", is_flag=True, help="End with `musegen evaluate`; the card gets the figures.")
@click.option(
    "--log",
    "--log-file",  # torchrun takes --log for an option of its own, wherever it stands
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what happens as JSON lines.",
)
@options.as_json
@options.quiet
def train(
    *,
    family_name: str,
    corpus_name: str,
    output: Output,
    epochs: int | None,
    minutes: float | None,
    resume: bool,
    base_name: str | None,
    settings: tuple[str, ...],
    device: str,
    precision: str,
    seed: int | None,
    evaluated: bool,
    log: Path | None,
    as_json: bool,
) -> None:
    """Train a model of FAMILY on CORPUS: a name, an encoded file, or a folder of music.

    The best model so far, by its loss on held-out music, always lies in the file that -o names. Ctrl-C saves the
    state of the run beside it; the same command with --resume goes on from there. With torchrun, several processes
    share the work.

    \b
    Examples:
      musegen train lstm bach --minutes 3 -o my-bach.safetensors
      musegen train vae bach --epochs 20 --set hidden=384 -o my-vae.safetensors --evaluate
      musegen train lstm my-tunes/ --from celtic-lstm -o my-style.safetensors
    """
    from musegen.training.run import Budget, Run, recorded_seed, state_path, vocabulary_of

    if epochs and minutes:
        raise click.UsageError("--epochs and --minutes exclude each other")
    if output.is_stdout or output.is_folder:
        raise click.UsageError("a checkpoint needs a file: name one with -o")
    under_way = state_path(output.path).exists()
    if under_way and not (resume or output.overwrite):
        raise MusegenError(f"{output.name} is being trained, or its training was stopped", "Add --resume to go on.")
    check_writable(output.path, overwrite=output.overwrite or resume)

    from musegen.checkpoints import load_checkpoint
    from musegen.corpora import open_corpus
    from musegen.models import family

    kind = family(family_name)
    base = load_checkpoint(base_name) if base_name else None
    if base and base.family.name != kind.name:
        raise MusegenError(f"{base_name} is a model of the family {base.family.name}, not {kind.name}")
    values = dict(_setting(text) for text in settings)
    chosen = kind.settings.of({**_settings_of(base), **values})
    shape = (base.vocabulary.voices, base.vocabulary.steps_per_quarter) if base else (None, None)
    corpus = open_corpus(corpus_name, voices=shape[0], steps_per_quarter=shape[1], tell=summarize)
    vocabulary = vocabulary_of(corpus, base)
    kind.check(vocabulary, chosen)
    if evaluated and not corpus.split("test"):
        raise MusegenError(f"{corpus.name} has no test pieces", "Leave out --evaluate.")
    if resume and output.path.exists() and not under_way:
        _check_finished(load_checkpoint(output.path), kind.name, corpus.hash, chosen, seed)
        talk(f"{output.name} is finished: there is nothing to resume")
        return
    if seed is None and resume:
        seed = recorded_seed(output.path)
    run = Run(
        kind,
        corpus,
        vocabulary,
        chosen,
        Budget(epochs, minutes),
        output.path,
        options.settle_seed(seed),
        command=" ".join(["musegen", *sys.argv[1:]]),
        device=device,
        precision=precision,
        log=log,
        resume=resume,
        overwrite=output.overwrite,
        base=base,
    )

    from musegen.training.loop import train as learn  # torch takes seconds to load; errors should not

    said = _Talk(kind.measure)
    try:
        checkpoint = learn(run, said.hear)
    except KeyboardInterrupt:
        said.close()
        if run.state_path.exists():
            talk("stopped; the same command with --resume goes on from here")
        raise
    finally:
        said.close()
    if evaluated and os.environ.get("RANK", "0") == "0":  # of the processes that torchrun starts, one
        checkpoint = _evaluated(checkpoint, corpus, output.path)
    if as_json and not silent():
        click.echo(json.dumps({"path": str(output.path), **checkpoint.card}))


def _evaluated(model: Checkpoint, corpus: Corpus, path: Path) -> Checkpoint:
    """Show the test pieces to a model that is done, and write the figures into its card."""
    from dataclasses import replace

    from musegen.evaluation.likelihood import evaluate

    found = evaluate(model, [corpus.roll(index) for index in corpus.split("test")])
    talk(f"test: {found.framed.per_note:.4f} {model.family.measure}, {found.whole.onset_accuracy:.3f} of the onsets")
    model = replace(model, card={**model.card, "test": found.summary()})
    model.save(path, overwrite=True)
    return model


def _check_finished(done: Checkpoint, family: str, corpus: str, settings: Settings, seed: int | None) -> None:
    """Refuse to call a run finished when the file holds another one."""
    same = (done.family.name, done.card["corpus"]["hash"], done.settings) == (family, corpus, settings)
    if not same or seed not in (None, done.card["seed"]):
        raise MusegenError(f"{done.path} was trained by another command", "Choose another name, or --overwrite it.")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
    return name, value


def _settings_of(base: Any) -> dict[str, Any]:
    """The shape of a model to go on from; how long and how fast to train is chosen anew."""
    from dataclasses import asdict

    from musegen.models.base import Settings

    anew = set(asdict(Settings()))
    return {name: value for name, value in asdict(base.settings).items() if name not in anew} if base else {}


class _Talk:
    """Training as lines on stderr, and a bar where there is a terminal."""

    def __init__(self, measure: str) -> None:
        self.measure = measure
        self.bar: tqdm[Any] | None = None
        self.said = time.monotonic()

    def hear(self, event: dict[str, Any]) -> None:
        """Tell of one event."""
        getattr(self, f"_{event['event']}")(event)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _start(self, event: dict[str, Any]) -> None:
        talk(
            f"{event['family']} on {event['corpus']}: {event['pieces']} pieces, {event['parameters']:,} parameters, "
            f"{event['device']}, seed {event['seed']}"
        )

    def _left_out(self, event: dict[str, Any]) -> None:
        talk(f"{event['pieces']} {event['split']} pieces go far beyond the ranges of the training music: left out")

    def _resume(self, event: dict[str, Any]) -> None:
        self._start(event)
        talk(f"resumed at step {event['step']}")

    def _step(self, event: dict[str, Any]) -> None:
        if silent():
            return
        if sys.stderr.isatty():
            if self.bar is None:
                from tqdm import tqdm

                self.bar = tqdm(file=sys.stderr, leave=False, dynamic_ncols=True, unit=" steps")
            self.bar.total, self.bar.n = event["of"], event["step"]
            self.bar.set_postfix_str(f"{event['train']:.3f} {self.measure}", refresh=False)
            self.bar.update(0)
        elif time.monotonic() - self.said > EVERY_SECONDS:
            self.said = time.monotonic()
            of = f"/{event['of']}" if event["of"] else ""
            talk(f"  step {event['step']}{of}: {event['train']:.3f}, about {duration(max(0, event['left']))} left")

    def _epoch(self, event: dict[str, Any]) -> None:
        self.said = time.monotonic()
        held_out = f", held-out {event['validation']:.4f}" if event["validation"] is not None else ""
        star = " (best)" if event["best"] in (event["validation"], event["train"]) else ""
        left = "stopped getting better" if event["stale"] else f"about {duration(max(0, event['left']))} left"
        talk(
            f"epoch {event['epoch']}: train {event['train']:.4f}{held_out} {self.measure}{star}, "
            f"{event['notes_per_second']:,} notes/s, {left}"
        )

    def _end(self, event: dict[str, Any]) -> None:
        self.close()
        best = event["best"]
        talk(f"best: {best:.4f} {self.measure}, epoch {event['best_epoch']}, {duration(event['seconds'])} in all")
