import pytest

from musegen.errors import MusegenError
from musegen.formats.playing_order import Signs, playing_order


def order(text):
    """`|: 0 | 1 :|` in short: one word a bar, its signs around its number."""
    signs = [
        Signs(
            forward=word.startswith("|:"),
            backward=3 if word.endswith(":|3") else 2 if word.endswith(":|") else 0,
            ending=frozenset(int(n) for n in word.partition("[")[2].partition("]")[0].split(",") if n),
            ending_stops="." in word,
            segno="S" in word,
            coda="C" in word,
            fine="F" in word,
            to_coda="T" in word,
            da_capo="D" in word,
            dal_segno="L" in word,
        )
        for word in text.split()
    ]
    played, ignored = playing_order(signs)
    return " ".join(str(index) for index in played) + "".join(f" ({line})" for line in ignored)


@pytest.mark.parametrize(
    ("written", "played"),
    [
        ("0 1 2", "0 1 2"),
        ("|:0 1:| 2", "0 1 0 1 2"),
        ("0 |:1 2:| 3", "0 1 2 1 2 3"),
        ("0 1:| 2 3:|", "0 1 0 1 2 3 2 3"),  # no beginning: back to the end of the one before
        ("0:|3 1", "0 0 0 1"),
        ("|:0 [1]1.:| [2]2. 3", "0 1 0 2 3"),
        ("|:0 [1]1.:| [2]2.:| 3", "0 1 0 2 3"),  # a sign after the last ending too
        ("|:0 [1]1. [2]2. 3", "0 1 0 2 3"),  # the sign after the first ending forgotten
        ("|:0 [1,2]1.:| [3]2. 3", "0 1 0 1 0 2 3"),
        ("|:0 [1]1 2:| 3 4", "0 1 2 0 3 4"),  # a first ending alone
        ("|:0 1.:| [2]2. 3", "0 1 0 2 3"),  # the beginning of the first ending forgotten
        ("|:0 1:| [2]2. 3", "0 1 0 1 2 3"),  # a second ending without a first
        ("|:0 [1]1:| [2]2 3", "0 1 0 2 3"),  # a second ending without an end
        ("|:0 [1]1.:| [2]2. 3 |:4 [1]5.:| [2]6.", "0 1 0 2 3 4 5 4 6"),
        ("0 1F 2 3D", "0 1 2 3 0 1"),
        ("|:0 1F:| 2 3D", "0 1 0 1 2 3 0 1"),  # repeats are not taken after the jump
        ("|:0 [1]1.:| [2]2.F 3D", "0 1 0 2 3 0 2"),
        ("0 1S 2F 3L", "0 1 2 3 1 2"),
        ("0 1S 2T 3L 4C 5", "0 1 2 3 1 2 4 5"),
        ("0 1L 2", "0 1 2 (a dal segno without its segno is not played)"),
        ("0D 1D", "0 1 (2 jumps (da capo, dal segno) are not played)"),
    ],
)
def test_bars_are_played_in_the_order_that_the_signs_mean(written, played):
    assert order(written) == played


def test_repeats_without_end_are_refused():
    with pytest.raises(MusegenError, match="20000 bars"):
        playing_order([Signs(forward=True, backward=100)] * 500)
