"""To import this makes NumPy and torch, where they are imported later, use one thread here and in child processes.

Sums over several threads differ in their last bits, and the threads wait for each other; a run that is to use more
processors works on several blocks at a time instead.
"""

from __future__ import annotations

import os

THREADS = 1
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(THREADS))
"""The environment variables that set it."""

os.environ.update(ONE_THREAD)
