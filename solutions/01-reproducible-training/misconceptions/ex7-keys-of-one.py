# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: compares the keys of the first record only
# ---
def differences(a, b):
    found = []
    for part in ("config", "environment", "inputs"):
        keys = list(a[part])
        found += [f"{part}.{key}" for key in keys if a[part].get(key, ...) != b[part].get(key, ...)]
    if not found and any(a[result] != b[result] for result in ("model", "rows", "auc")):
        found.append("not reproducible")
    return sorted(found)
