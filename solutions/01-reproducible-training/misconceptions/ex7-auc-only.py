# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: trusts the AUC, though two different models can have the same one
# ---
def differences(a, b):
    found = []
    for part in ("config", "environment", "inputs"):
        keys = set(a[part]) | set(b[part])
        found += [f"{part}.{key}" for key in keys if a[part].get(key, ...) != b[part].get(key, ...)]
    if not found and a["auc"] != b["auc"]:
        found.append("not reproducible")
    return sorted(found)
