"""For every test, in whatever folder: no telemetry, one thread a process (pytest runs one process a core).

Kernels start as new processes, unless a test is about warm ones: `course check` would leave a warm parent behind.
"""

import os

from course.execute import ONE_THREAD
from course.quiet import quiet

quiet()
os.environ.update(ONE_THREAD, COURSE_WARM="off")
