"""How good a model or a piece is: likelihood, statistics, originality."""
