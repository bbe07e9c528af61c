# ---
# answers: ex7
# loses: {ex7-test-locked: 1}
# why: a read-only root, and no place to write at all
# ---
def run_options():
    return {
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }
