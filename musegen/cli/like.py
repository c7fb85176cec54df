"""The option that has new pieces follow the plan of an existing one, and what is said of how well it held."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli.music import SOURCE, chosen, read_music, take
from musegen.cli.recipe import Input
from musegen.cli.talk import progress, table, talk
from musegen.imposing_effort import EFFORT

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.composing import Piece, Wishes
    from musegen.imposing import Report
    from musegen.models.base import Sampling

F = TypeVar("F", bound=Callable[..., Any])
