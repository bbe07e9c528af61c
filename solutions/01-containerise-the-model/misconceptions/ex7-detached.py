# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: says as well that it runs in the background, which is for whoever runs it to say
# ---
def run_options():
    return {
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": "size=16m"},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "detach": True,
    }
