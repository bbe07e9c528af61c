# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: reserves memory, which limits nothing
# ---
def run_options():
    return {
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "mem_reservation": "256m",
    }
