# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: gives the processor shares, a weight that counts only while others want it
# ---
def run_options():
    return {
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "cpu_shares": 512,
    }
