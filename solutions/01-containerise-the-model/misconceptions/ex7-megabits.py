# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-locked: 1}
# why: writes the number without its unit and gets 256 kB
# ---
def run_options():
    return {
        "mem_limit": 256 * 1024,
        "memswap_limit": 256 * 1024,
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }
