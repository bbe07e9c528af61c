# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: looks for causes only where the results differ
# ---
def differences(a, b):
    if all(a[result] == b[result] for result in ("model", "rows", "auc")):
        return []
    found = []
    for part in ("config", "environment", "inputs"):
        keys = set(a[part]) | set(b[part])
        found += [f"{part}.{key}" for key in keys if a[part].get(key, ...) != b[part].get(key, ...)]
    return sorted(found) or ["not reproducible"]
