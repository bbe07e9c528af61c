# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: limits memory and lets the engine add as much swap again
# ---
def run_options():
    return {
        "mem_limit": "256m",
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }
