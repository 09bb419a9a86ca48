"""Holds workers at the end of an epoch, for tests that must catch them at work: see `tests.end_to_end.conftest`.

Python imports this module by itself where its folder is on PYTHONPATH. It does something only in a worker process,
and only while the file that TEST_HOLD_FILE names is there.
"""

import os
import sys
import time

FILE = os.environ.get("TEST_HOLD_FILE", "")

if FILE and "core.engine.worker" in sys.orig_argv:
    from core.protocol.stages import Stages

    report_epoch = Stages.epoch

    def report_and_wait(self: Stages, epoch: int, epochs: int, loss: float) -> None:
        report_epoch(self, epoch, epochs, loss)
        while os.path.exists(FILE):
            time.sleep(0.01)

    Stages.epoch = report_and_wait  # type: ignore[method-assign]
