"""What may be asked of a piece besides the notes that are given: one set of constraints, which every verb takes.

A constraint narrows what the open cells of a template may hold, or adds rules that the line of a voice must obey.
"""

from musegen.representation.constraints.base import Constraint
from musegen.representation.constraints.chords import Chords, chord_share
from musegen.representation.constraints.clashes import check
from musegen.representation.constraints.collection import KINDS, Constraints
from musegen.representation.constraints.reading import read_constraints

__all__ = ["KINDS", "Chords", "Constraint", "Constraints", "check", "chord_share", "read_constraints"]
