# ---
# answers: ex7
# loses: {ex7-test-locked: 1}
# why: drops capabilities, and leaves the way to get them back
# ---
def run_options():
    return {
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
    }
