"""Has NumPy and torch compute on one thread in this process, if imported before them, and in its children.

Sums of several threads have other last bits, and the threads wait for each other; a run that is to use more
processors works on several blocks at a time instead.
"""

from __future__ import annotations

import os

THREADS = 1
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(THREADS))
"""The environment that says so."""

os.environ.update(ONE_THREAD)
