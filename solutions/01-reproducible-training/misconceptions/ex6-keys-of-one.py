# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: compares the keys of the first config only
# ---
def differences(a, b):
    found = [f"config.{key}" for key, value in a["config"].items() if b["config"].get(key, ...) != value]
    if a["data"] != b["data"]:
        found.append("data")
    if not found and (a["rows"], a["auc"]) != (b["rows"], b["auc"]):
        found.append("not reproducible")
    return sorted(found)
