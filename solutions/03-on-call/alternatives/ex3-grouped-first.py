# ---
# answers: ex3
# why: groups all lines by id, then reads each group
# ---
def read_log(lines):
    groups = {}
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            told = {}
        if told.get("request_id"):
            groups.setdefault(told["request_id"], []).append(told)
    found = []
    for name, group in groups.items():
        last = [told for told in group if told["logger"] == "oakbank.deploy.logs"]
        if not last:
            continue
        took = {
            told["logger"].split(".")[1]: told["milliseconds"]
            for told in group
            if told["logger"] in ("suppliers.bureau", "suppliers.identity")
        }
        error = next((told["error"] for told in group if "error" in told), None)
        own = last[0]["milliseconds"] - sum(took.values())
        found.append(
            {
                "request_id": name,
                "status": last[0]["status"],
                "version": last[0]["model_version"],
                "error": error,
                "milliseconds": took | {"service": own},
            }
        )
    return found
