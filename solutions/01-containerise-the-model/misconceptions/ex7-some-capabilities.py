# ---
# answers: ex7
# loses: {ex7-test-locked: 1}
# why: drops the capabilities that came to mind
# ---
def run_options():
    return {
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["NET_RAW", "SYS_ADMIN"],
        "security_opt": ["no-new-privileges"],
    }
