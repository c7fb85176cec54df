"""The training loop: progress, validation, early stop, resume, several processes. Loads torch."""

from musegen.training.loop import train
from musegen.training.run import Budget, Run

__all__ = ["Budget", "Run", "train"]
