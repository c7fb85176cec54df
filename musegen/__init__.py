"""musegen learns a style of notated music from a corpus and composes in it."""

import os

__version__ = "0.1.0"

# Torch's threads wait for one another many times in a step. Spinning while they do makes training ten times slower as
# soon as any other program needs a core; this must be set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
