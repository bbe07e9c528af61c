"""For every test, in whatever folder: no telemetry, one thread a process (pytest runs one process a core).

Kernels start as new processes, unless a test is about warm ones: `course check` would leave a warm parent behind.
"""

import os
import signal

from course.execute import ONE_THREAD
from course.quiet import quiet
from course.tools import tools_path

quiet()
os.environ.update(ONE_THREAD, COURSE_WARM="off", PATH=tools_path())
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: what we start would not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
