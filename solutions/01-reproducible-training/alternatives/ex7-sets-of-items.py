# ---
# answers: ex7
# why: flattens each record into a set of items and takes what is in one only
# ---
def flat(record):
    return {
        (f"{part}.{key}", json.dumps(value))
        for part in ("config", "environment", "inputs")
        for key, value in record[part].items()
    }


def differences(a, b):
    causes = {name for name, _ in flat(a) ^ flat(b)}
    if causes or {key: a[key] for key in ("model", "rows", "auc")} == {key: b[key] for key in ("model", "rows", "auc")}:
        return sorted(causes)
    return ["not reproducible"]
