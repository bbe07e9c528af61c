"""For every test, in whatever folder: no telemetry, one thread a process (pytest runs one process a core)."""

import os

from course.execute import ONE_THREAD
from course.quiet import quiet

quiet()
os.environ.update(ONE_THREAD)
