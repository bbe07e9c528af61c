"""Kills an action at its n-th step, for tests that try every one."""

import os
import signal
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]


def killed_at(step: int, action: Callable[[], Any], patch: Callable[[Callable[[Function], Function]], None]) -> bool:
    """Do it in a process of its own, killed before its n-th step; returns whether it was, or had ended before.

    Args:
        step: Steps that it comes through.
        action: What is done.
        patch: Puts functions that count in the place of those that are steps; it is given what makes them count.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    left = step

    def counted(real: Function) -> Function:
        def stepped(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return stepped

    try:
        patch(counted)
        action()
    except BaseException:
        os._exit(1)
    os._exit(0)
