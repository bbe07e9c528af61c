# ---
# attack: calls exit and quit, and shuts the shell down through get_ipython() and what hangs on it
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex3
import asyncio
import sys

shell = get_ipython()
for name in ("ask_exit", "atexit_operations", "restore_sys_module_state", "exit", "cleanup"):
    try:
        getattr(shell, name, lambda: None)()
    except BaseException as error:
        print(name, error)
try:
    shell.kernel.do_shutdown(False)
except BaseException as error:
    print(error)
try:
    asyncio.get_event_loop().stop()
except BaseException as error:
    print(error)
shell.payload_manager.write_payload({"source": "ask_exit", "keepkernel": False})
sys.stdout.close()
sys.stderr.close()
exit
