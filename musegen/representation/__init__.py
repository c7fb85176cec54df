"""A score <-> a roll: the grid, what does not fit it, and what can be done to a roll."""
