# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: calls another result irreproducible even where a cause explains it
# ---
def differences(a, b):
    found = []
    for part in ("config", "environment", "inputs"):
        keys = set(a[part]) | set(b[part])
        found += [f"{part}.{key}" for key in keys if a[part].get(key, ...) != b[part].get(key, ...)]
    if any(a[result] != b[result] for result in ("model", "rows", "auc")):
        found.append("not reproducible")
    return sorted(found)
