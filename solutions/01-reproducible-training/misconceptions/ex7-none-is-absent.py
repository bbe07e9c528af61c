# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: takes a key that is absent and a key that is None for the same
# ---
def differences(a, b):
    found = []
    for part in ("config", "environment", "inputs"):
        keys = set(a[part]) | set(b[part])
        found += [f"{part}.{key}" for key in keys if a[part].get(key) != b[part].get(key)]
    if not found and any(a[result] != b[result] for result in ("model", "rows", "auc")):
        found.append("not reproducible")
    return sorted(found)
