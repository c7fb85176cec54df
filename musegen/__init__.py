"""musegen learns a style of notated music from a corpus and composes in it."""

import os

__version__ = "0.1.0"

# Threads wait for one another many times in a step. If they spin while they do, training becomes ten times slower and
# sampling three times as soon as any other program needs a core. These must be set before torch and numpy are loaded;
# numpy's products are small here, and one thread is as fast as two.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
