"""Coconet: any cells from any others, written and rewritten until they fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Composer, Example, Family, Settings
from musegen.models.coconet.cells import Cells
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll

if TYPE_CHECKING:
    from musegen.models.network import Network


@dataclass(frozen=True)
class CoconetSettings(Settings):
    """Settings of Coconet.

    Attributes:
        width: of a step's vector.
        layers: convolutions over time.
        heads: units from which the logits are computed.
        passage: quarters that are learnt from together; longer pieces are cut.
        dropout: share of the units left out, the same ones for a whole passage.
        head_dropout: the same before the logits.
        sweeps: how often the open cells are hidden in part and drawn again.
    """

    epochs: int = 60
    batch: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    patience: int = 30
    averaging: float = 0.998
    width: int = 192
    layers: int = 7
    heads: int = 128
    passage: int = 64
    dropout: float = 0.15
    head_dropout: float = 0.25
    sweeps: int = 64

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if min(self.width, self.layers, self.heads, self.passage) <= 0:
            raise MusegenError("width, layers, heads and passage must be above 0")
        if not max(self.dropout, self.head_dropout) < 1:
            raise MusegenError("dropout and head_dropout must be below 1")


class Coconet(Family):
    """An orderless model: whatever is hidden from whatever is shown, and blocked Gibbs sampling to compose with it.

    As published: random cells are hidden and all of them predicted at once from the rest, with a loss that gives every
    number of hidden cells the same weight, so that the network is a NADE in every order at once (Uria, Murray and
    Larochelle 2014, https://arxiv.org/abs/1310.1757). To compose, all open cells are drawn, and then again and again a
    share of them is hidden and drawn anew, ever fewer (Yao et al. 2014, https://arxiv.org/abs/1409.0585); what is fixed
    is shown and never hidden.

    Where ours differs, and why:

    - The published network (64 layers of 3 x 3 x 128 over time and pitch) is far beyond two processors. Ours convolves
      over time alone: seven dilated layers that begin at a step and go out to eight quarters, on sums of table rows.
      What is lost thereby, that a pattern looks alike at every pitch, comes back in two ways: all pitches are counted
      from the tonic, which makes all keys nearly one (where no key is written it is estimated from what is fixed), and
      each candidate is also heard as an interval to the other voices and to its own neighbours, and as a motion against
      theirs, which is how parallels are avoided.
    - A cell holds a symbol of our rolls, so it may say that a note is held, which the published one cannot tell from a
      note struck again. Cells drawn each for itself would put holds into silence; so the hidden cells of each voice are
      drawn as a chain, given what the network makes of each of them (`models.chain`). This makes all constraints of a
      template hold in every state, too. Voices are drawn independently of one another, as are cells in the paper.
    - In half of the examples the cells are hidden in some voices or some bars alone, which is how the model is used.
    - Melodies also see themselves at distances of 1, 2, 4 and 8 bars, since tunes repeat.

    Its likelihood is the mean over random orders, a bound of what the mixture of all orders would give.
    """

    name = "coconet"
    title = "Coconet"
    year = 2017
    paper = (
        "Huang, Cooijmans, Roberts, Courville and Eck, Counterpoint by convolution, https://arxiv.org/abs/1903.07227"
    )
    settings = CoconetSettings
    measure = "nats per note (bound)"
    temperature = 0.6

    def prepare(self, roll: Roll, vocabulary: Vocabulary, settings: Settings) -> list[Example]:
        """A roll -> its passages, of about the same length."""
        assert isinstance(settings, CoconetSettings)
        if roll.steps == 0:
            return []
        cells = Cells.of(roll, vocabulary)
        parts = -(-roll.steps // (settings.passage * vocabulary.steps_per_quarter))
        edges = [roll.steps * part // parts for part in range(parts + 1)]
        examples = []
        for first, end in pairwise(edges):
            part = cells.passage(first, end)
            arrays = {"event": part.event, "frame": part.frame, "apart": part.apart}
            small = {name: array.astype(np.int32) for name, array in arrays.items()}
            examples.append(Example(small, part.event.size, end - first, range(1)))
        return examples

    def collate(self, examples: Sequence[Example], shifts: Sequence[int], vocabulary: Vocabulary) -> Arrays:
        """(B, T, V) event, `none` after the end, (B, T, 6) frame and (B, T, G) apart."""
        longest = max(example.size for example in examples)

        def padded(name: str, beyond: int) -> np.ndarray:
            return np.stack(
                [
                    np.pad(each.arrays[name], ((0, longest - each.size), (0, 0)), constant_values=beyond)
                    for each in examples
                ]
            ).astype(np.int64)

        return {"event": padded("event", vocabulary.none), "frame": padded("frame", 0), "apart": padded("apart", -1)}

    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """Torch module with fresh weights."""
        from musegen.models.coconet.network import CoconetNetwork

        assert isinstance(settings, CoconetSettings)
        return CoconetNetwork(vocabulary, settings)

    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> Composer:
        """Numpy twin."""
        from musegen.models.coconet.composer import CoconetComposer

        assert isinstance(settings, CoconetSettings)
        return CoconetComposer(vocabulary, settings, weights)
