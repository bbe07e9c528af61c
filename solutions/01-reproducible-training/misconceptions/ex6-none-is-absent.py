# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: takes a key that is absent and a key that is None for the same
# ---
def differences(a, b):
    keys = set(a["config"]) | set(b["config"])
    found = [f"config.{key}" for key in keys if a["config"].get(key) != b["config"].get(key)]
    if a["data"] != b["data"]:
        found.append("data")
    if not found and (a["rows"], a["auc"]) != (b["rows"], b["auc"]):
        found.append("not reproducible")
    return sorted(found)
