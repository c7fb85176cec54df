"""What all tests share: toy corpora, and a toy model of each family trained on them once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests import toys

Trained = Callable[..., Path]

settings.register_profile("suite", max_examples=40, deadline=None)  # the whole suite is to take minutes
settings.load_profile("suite")

# Whoever runs the tests in the background has them ignore Ctrl-C, and every program that they start.
for _number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _home_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the corpora and models of whoever runs it."""
    os.environ["MUSEGEN_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Encoded toy corpora: `chorales`, four voices at 4 steps per quarter, and `tunes`, melodies at 12."""
    folder = tmp_path_factory.mktemp("corpora")
    return {name: toys.write_corpus(folder / f"{name}.safetensors", rolls) for name, rolls in toys.ROLLS.items()}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, corpora: dict[str, Path]) -> Trained:
    """Give the path of a toy model of a family, trained for a few steps on a toy corpus."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def make(name: str, corpus: str = "chorales") -> Path:
        from musegen.training.loop import train

        out = folder / f"{corpus}-{name}.safetensors"
        if not out.exists():
            train(toys.run_of(name, corpora[corpus], out))
        return out

    return make
