"""Scores -> ABC."""

from collections.abc import Sequence

from musegen.score import Score


def write(scores: Sequence[Score]) -> bytes:
    raise NotImplementedError
