"""How each system of the quality benchmark is measured."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import data
import numpy as np
from baselines import counting
from findings import Finding, load
from systems import HARMONIES, OURS, PUBLISHED_MINUTES, SAMPLED

from musegen.checkpoints import Checkpoint, load_checkpoint
from musegen.corpora import Corpus, open_corpus
from musegen.evaluation.likelihood import Evaluation, Rates, evaluate
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll, sounding
from musegen.training.run import vocabulary_of


@dataclass(frozen=True)
class Where:
    """Where a run keeps its things, and how long it may take.

    Attributes:
        folder: of findings and checkpoints.
        most: minutes that a GRU may train at most.
        smoke: whether our families train for seconds only, to try the path.
    """

    folder: Path
    most: float = float("inf")
    smoke: bool = False


@dataclass(frozen=True)
class Music:
    """A corpus with its pieces by split."""

    corpus: Corpus
    vocabulary: Vocabulary
    rolls: dict[str, list[Roll]]

    @property
    def clean(self) -> list[Roll]:
        """Test pieces whose soprano is new; empty where nobody said which."""
        return [self.rolls["test"][index] for index in data.clean()] if is_jsb(self.corpus) else []


SOURCES: dict[str, Callable[[], Corpus]] = {
    "P1": data.jsb,
    "P4": data.nottingham,
    "P5": data.jsb_windows,
    "own bach": lambda: open_corpus("bach"),
    "own celtic": lambda: open_corpus("celtic"),
}


@cache
def music(protocol: str) -> Music:
    """What a protocol is measured on."""
    corpus = SOURCES[protocol]()
    rolls = {split: [corpus.roll(index) for index in corpus.split(split)] for split in data.SPLITS.values()}
    return Music(corpus, vocabulary_of(corpus), rolls)


def is_jsb(corpus: Corpus) -> bool:
    """Whether it is the public set of chorales, in whole pieces."""
    return Path(corpus.name).name == "jsb.safetensors"


def data_hash(protocol: str) -> str:
    """The start of the hash of a protocol's data."""
    return music(protocol).corpus.hash[:12]


@cache
def notes_hash(protocol: str) -> str:
    """The same of the notes and the split alone, which is all that baselines see."""
    digest = hashlib.sha256()
    for split, rolls in music(protocol).rolls.items():
        digest.update(split.encode())
        for roll in rolls:
            digest.update(f"{roll.symbols.shape}".encode() + np.ascontiguousarray(roll.symbols).tobytes())
    return digest.hexdigest()[:12]


def per_unit(protocol: str, nats: float, rolls: Sequence[Roll]) -> float:
    """Nats of pieces -> nats per note, step or quarter."""
    steps = sum(roll.steps for roll in rolls)
    if protocol == "P1":
        return nats / sum(roll.symbols.size for roll in rolls)
    return nats / steps * (1 if protocol == "P4" else rolls[0].steps_per_quarter)


def spread_out(protocol: str, nats_of: Callable[[Sequence[Roll]], float]) -> dict[str, float]:
    """The figures of a system that gives the nats of pieces, with all that they cost."""
    m = music(protocol)
    test, nats = m.rolls["test"], nats_of(m.rolls["test"])
    found = {"valid": per_unit(protocol, nats_of(m.rolls["validation"]), m.rolls["validation"])}
    found["test"] = per_unit(protocol, nats, test)
    if protocol == "P4":
        found["test, per onset"] = nats / sum(int((roll.symbols < REST).sum()) for roll in test)
    if m.clean:
        found["clean test"] = per_unit(protocol, nats_of(m.clean), m.clean)
    return found


def trained(name: str, where: Where) -> Path:
    """The checkpoint of one of ours, trained first where it is not yet, or gone on with."""
    family, *others = OURS[name].split()
    if not others:
        return Path(family)
    protocol = name.split("/", maxsplit=1)[0]
    music(protocol)  # so that the corpus is in runs/
    where.folder.mkdir(parents=True, exist_ok=True)
    out = where.folder / f"{name.replace('/', '-').replace(' ', '-')}.safetensors"
    if where.smoke:
        others = [*others[:1], "--minutes", "0.3"]
    path = out.relative_to(data.ROOT)
    command = ["train", family, *others, "--seed", "1", "-o", str(path), "--log", str(path.with_suffix(".jsonl"))]
    print(f"musegen {' '.join(command)}", flush=True)
    subprocess.run([sys.executable, "-m", "musegen", *command, "--resume"], check=True, cwd=data.ROOT)
    return out


def ours(name: str, where: Where) -> Finding:
    """A likelihood of one of our families."""
    protocol = name.split("/", maxsplit=1)[0]
    model = load_checkpoint(trained(name, where))
    m = music(protocol)
    found = {split: evaluate(model, m.rolls[split]) for split in ("validation", "test")}
    if m.clean:
        found["clean test"] = evaluate(model, m.clean)
    notes = ["a bound"] if found["test"].bound else []
    if left_out := sum(each.left_out for each in found.values()):
        notes.append(f"{left_out} pieces left out: their pitches are unknown to the model")
    if protocol == "P5":
        whole, pitches = found["test"].whole, _heard(model, m.rolls["test"])
        figures = {"valid, nats": found["validation"].whole.nats_per_note, **_foretold(
            whole.nats_per_note, whole.onset_accuracy, pitches, whole.accuracy)}  # fmt: skip
    else:
        figures = {split.replace("validation", "valid"): _paid(protocol, each) for split, each in found.items()}
        figures["test, frame told"] = _rate(protocol, found["test"].framed)
    card = model.card
    return Finding(figures, card["parameters"], card["seconds"] / 60, card["command"], "; ".join(notes))


def _rate(protocol: str, rates: Rates) -> float:
    return {"P1": rates.per_note, "P4": rates.per_step}.get(protocol, rates.per_quarter)


def _paid(protocol: str, found: Evaluation) -> float:
    """With what it costs to tell the frame."""
    return _rate(protocol, found.framed) + (_rate(protocol, found.frame) if found.frame else 0.0)


def _heard(model: Checkpoint, rolls: Sequence[Roll]) -> float:
    """The share of added cells whose sound is the true one, when the likeliest symbols alone are played."""
    right = cells = 0
    for roll, surprise in zip(rolls, model.composer().surprise(rolls, 1), strict=True):
        same = sounding(surprise.best)[:, 1:] == roll.sounding()[:, 1:]
        right, cells = right + int(same.sum()), cells + same.size
    return right / cells


def _foretold(nats: float, onsets: float, pitches: float, tokens: float) -> dict[str, float]:
    return {"nats per token": nats, "onsets": onsets, "pitches": pitches, "tokens": tokens}


def even(protocol: str) -> Finding:
    """Every symbol as likely as any other: what an evaluator must say of a model that knows nothing."""
    classes = music(protocol).vocabulary.classes
    figures = spread_out(protocol, lambda rolls: float(np.log(classes)) * sum(roll.symbols.size for roll in rolls))
    return Finding(figures, 0, note=f"{classes} symbols")


def markov() -> Finding:
    """Counting, for chorales."""
    m = music("P1")
    v = m.vocabulary
    everywhere = counting.everywhere(m.rolls["train"], v)
    model = counting.markov(v.classes).learn(*counting.placed(everywhere, v))
    figures = spread_out("P1", lambda rolls: -float(np.log(model.probabilities(*counting.placed(rolls, v))).sum()))
    return Finding(figures, model.parameters, note="by voice; all transpositions; parameters are counts")


def ngram(order: int, moved: bool = False) -> Finding:
    """Counting, for melodies."""
    m = music("P4")
    v = m.vocabulary
    learnt = counting.everywhere(m.rolls["train"], v) if moved else m.rolls["train"]
    model = counting.ngram(order, v.classes).learn(*counting.preceding(learnt, v, order))

    def nats(rolls: Sequence[Roll]) -> float:
        return -float(np.log(model.probabilities(*counting.preceding(rolls, v, order))).sum())

    return Finding(spread_out("P4", nats), model.parameters, note="parameters are counts")


def bare_gru(protocol: str, parameters: int, layers: int, minutes: float) -> Finding:
    """A plain loop over symbols alone."""
    import torch
    from baselines import gru

    torch.set_num_threads(1)
    torch.manual_seed(1)
    m = music(protocol)
    v = m.vocabulary
    model = gru.sized(parameters, v.classes, layers)
    done = gru.train(model, m.rolls["train"], m.rolls["validation"], v, minutes, lambda line: print(line, flush=True))
    figures = spread_out(protocol, lambda rolls: sum(gru.nats(done.model, gru.tokens_of(rolls, v))))
    ended = "stopped getting better" if done.stopped else "time was over"
    note = f"{layers} x {model.gru.hidden_size}; {done.tokens:,} tokens seen; {ended}"
    return Finding(figures, model.parameters_count, done.minutes, note=note)


def always_hold() -> Finding:
    """No new note ever."""
    shown = np.concatenate([roll.symbols[:, 1:] for roll in music("P5").rolls["test"]])
    return Finding({"onsets": 0.0, "tokens": float((shown == HOLD).mean())}, 0)


def hidden_layer() -> Finding:
    """The plain harmonizer."""
    import torch
    from baselines import harmonizer

    torch.set_num_threads(1)
    m = music("P5")
    model, minutes = harmonizer.train(m.rolls, m.vocabulary)
    valid, test = (harmonizer.measure(model, m.rolls[split], m.vocabulary) for split in ("validation", "test"))
    figures = {"valid, nats": valid.nats, **_foretold(test.nats, test.onsets, test.pitches, test.tokens)}
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Finding(figures, parameters, minutes, note="all transpositions that fit")


def sampled(where: Where) -> Finding:
    """P6: the shipped model's chorales, through the commands that a user has."""
    name, count = OURS["P6/lstm"], 5 if where.smoke else SAMPLED
    folder = where.folder / f"P6-{name}"
    begin = f"musegen sample {name} -q -n {count} --seed 1 -o {folder.relative_to(data.ROOT)}/"
    then = f"musegen compare {folder.relative_to(data.ROOT)} --corpus bach --json"
    for each in folder.glob("*"):
        each.unlink()  # of an earlier model
    _run(begin)
    found = json.loads(_run(then))
    figures = {label: found["statistics"][label]["pieces"] for label in HARMONIES}
    figures["copied bars"] = found["originality"]["pieces"]["copied_bars"]
    if found["two_sample"]:
        figures["told apart, AUC"] = found["two_sample"]["auc"]
    card = load_checkpoint(name).card
    return Finding(figures, card["parameters"], card["seconds"] / 60, f"{begin}; {then}")


def _run(command: str) -> str:
    print(command, flush=True)
    words = [sys.executable, "-m", *command.split()]
    return subprocess.run(words, check=True, cwd=data.ROOT, stdout=subprocess.PIPE, text=True).stdout


def bach(protocol: str, split: str) -> Finding:
    """P6: Bach's own row. What the public files hold does not tell repeated notes from long ones."""
    from musegen.evaluation.originality import Index
    from musegen.evaluation.statistics import table

    m = music(protocol)
    corpus, rolls, public = m.corpus, m.rolls[split], is_jsb(m.corpus)
    statistics = table(rolls)
    figures = {label: statistics[label] for label in HARMONIES if label in statistics}
    if split != "train":
        learnt = [corpus.ids[index] for index in corpus.split("train")]
        index = Index.of(m.rolls["train"], learnt, onsets=not public)
        copied = [index.copied(roll) for roll in rolls]
        figures["copied bars"] = sum(each.copied for each in copied) / sum(each.windows for each in copied)
    return Finding(figures, note="key unknown; note lengths as derived" if public else "")


def bare_drawing() -> Finding:
    """How fast a GRU with fresh weights draws."""
    import torch
    from baselines import gru

    torch.set_num_threads(1)
    pieces, steps = 64, 512
    model = gru.BareGRU(58, 256, 3)
    gru.draw(model, pieces, 32)
    begin = time.process_time()
    gru.draw(model, pieces, steps)
    rate = pieces * steps / (time.process_time() - begin)
    return Finding({"notes per CPU second": rate}, model.parameters_count, note="fresh weights, torch")


def our_drawing() -> Finding:
    """How fast the shipped model draws, 256 pieces of 16 bars at once."""
    from musegen import composing
    from musegen.models.base import Sampling

    name = OURS["P6/lstm"]
    model, how, numbers = load_checkpoint(name), Sampling(1), range(1, 257)
    templates = [composing.template_for(model, how, number, composing.Wishes(bars=16)) for number in numbers]
    composer = model.composer()
    composer.fill(templates[:8], how, numbers[:8])
    begin = time.process_time()
    composer.fill(templates, how, numbers)
    rate = sum(int(template.open.sum()) for template in templates) / (time.process_time() - begin)
    return Finding({"notes per CPU second": rate}, model.card["parameters"], note="256 pieces of 16 bars; numpy")


def twin(name: str, where: Where) -> tuple[int, float]:
    """Parameters and minutes of the lstm that a GRU stands beside; what it is told where there is none yet."""
    shipped = len(OURS[name].split()) == 1
    if shipped:
        card = load_checkpoint(OURS[name]).card
        return card["parameters"], card["seconds"] / 60
    found = load(where.folder / f"{name.replace('/', '-').replace(' ', '-')}.json")
    return (found.parameters or 0, found.minutes or 0.0) if found else (2_250_000, PUBLISHED_MINUTES)
