"""The recursive feedforward network: a window of slices predicts the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Settings
from musegen.models.numpy_layers import Floats
from musegen.models.slice_composer import SliceComposer, State, Trunk
from musegen.models.slice_family import SliceFamily, SliceSettings
from musegen.models.vocabulary import Vocabulary

if TYPE_CHECKING:
    from musegen.models.network import Network


@dataclass(frozen=True)
class FeedforwardSettings(SliceSettings):
    """Settings of the feedforward family.

    Attributes:
        window: slices that are looked back on besides the present features.
        summary: units into which each of them is summed up.
        hidden: units of the hidden layer, and of what the heads read.
    """

    window: int = 16
    summary: int = 48
    hidden: int = 384

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if min(self.window, self.summary, self.hidden) <= 0:
            raise MusegenError("window, summary and hidden must be above 0")


class Feedforward(SliceFamily):
    """The iterative feedforward strategy: what came out goes in again, one slice further.

    In the survey (Briot, Hadjeres and Pachet 2017, section 6.6) a window of fixed steps is the input. Here it is a
    window of slices, so that it spans about as much music in a slow piece as in a quick one, beside the look back by
    bars that every left-to-right family has.
    """

    name = "feedforward"
    title = "recursive feedforward"
    year = 1988
    paper = "Todd, A sequential network design for musical applications, 1988; survey: https://arxiv.org/abs/1709.01620"
    settings = FeedforwardSettings

    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """Torch module with fresh weights."""
        from musegen.models.feedforward.network import network

        assert isinstance(settings, FeedforwardSettings)
        return network(vocabulary, settings)

    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> SliceComposer:
        """Numpy twin."""
        assert isinstance(settings, FeedforwardSettings)
        return SliceComposer(vocabulary, weights, WindowTrunk(weights, settings))


class WindowTrunk(Trunk):
    """The window, one slice at a time; the state is (pieces, window, summary), the newest slice first."""

    def __init__(self, weights: Arrays, settings: FeedforwardSettings) -> None:
        self.window, self.summary = settings.window, settings.summary
        names = ("summarise", "first", "second")
        self.layers = {
            name: (np.ascontiguousarray(weights[f"trunk.{name}.weight"].T), weights[f"trunk.{name}.bias"])
            for name in names
        }

    def start(self, pieces: int) -> State:
        """An empty window."""
        return (np.zeros((pieces, self.window, self.summary)),)

    def step(self, features: Floats, state: State) -> tuple[Floats, State]:
        """(n, width) features -> (n, hidden)."""
        (past,) = state
        n = len(features)
        first = np.tanh(self._linear("first", np.concatenate([features, past.reshape(n, -1)], axis=1)))
        newest = np.tanh(self._linear("summarise", features))
        return first + np.tanh(self._linear("second", first)), (
            np.concatenate([newest[:, None], past[:, :-1]], axis=1),
        )

    def _linear(self, name: str, x: Floats) -> Floats:
        matrix, bias = self.layers[name]
        return np.asarray(x @ matrix + bias)
