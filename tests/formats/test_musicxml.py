from hypothesis import assume, given, settings

from musegen.formats import musicxml, mxl
from tests.strategies import scores


def assume_notated(score):
    """A first bar cut short is a pickup in every notation, and a piece has notes."""
    bars = list(score.bars())
    assume(any(voice.notes for voice in score.voices))
    assume(score.pickup or len(bars) == 1 or bars[0].duration == bars[0].metre.quarters)


@given(scores(grid=12))
@settings(max_examples=60, deadline=None)
def test_reading_gives_back_the_score_written(score):
    assume_notated(score)
    reading = musicxml.read(musicxml.write([score]), "x")
    assert reading.scores == (score,) and not reading.mended
