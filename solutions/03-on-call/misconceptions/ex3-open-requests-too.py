# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: lists requests that have no answer yet
# ---
def read_log(lines):
    found = {}
    for line in lines:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        if not told.get("request_id"):
            continue
        one = found.setdefault(told["request_id"], {"asked": {}, "answered": None, "error": None})
        if told["logger"] == "oakbank.deploy.logs":
            one["answered"] = told
        elif told["logger"] in ("suppliers.bureau", "suppliers.identity"):
            one["asked"][told["logger"].removeprefix("suppliers.")] = told["milliseconds"]
        one["error"] = told.get("error", one["error"])
    for one in found.values():
        one["answered"] = one["answered"] or {"status": 0, "model_version": "", "milliseconds": 0.0}
    return [
        {
            "request_id": name,
            "status": one["answered"]["status"],
            "version": one["answered"]["model_version"],
            "error": one["error"],
            "milliseconds": {"service": one["answered"]["milliseconds"] - sum(one["asked"].values()), **one["asked"]},
        }
        for name, one in found.items()
    ]
