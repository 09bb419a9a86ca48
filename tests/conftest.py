"""What must be set before the libraries that read it are imported."""

import os

# One compute thread a process: several of them on a small machine would wait for each other, not compute.
# Processes that the tests start inherit this.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

# Screens that move are never twice the same picture.
os.environ["TEXTUAL_ANIMATIONS"] = "none"
