# ---
# answers: ex7
# why: bytes, quota and period, a swap limit that equals the memory
# ---
def run_options():
    size = 256 * 2**20
    return {
        "mem_limit": size,
        "memswap_limit": f"{size // 1024}k",
        "cpu_period": 100_000,
        "cpu_quota": 50_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": "rw,noexec,nosuid,size=64m"},
        "cap_drop": ["all"],
        "security_opt": ["no-new-privileges:true"],
    }
