# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: lists requests in the order of their answers, not of their first lines
# ---
def read_log(lines):
    told, asked, errors, answered = [], {}, {}, []
    for text in lines:
        try:
            told.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    for one in told:
        name = one.get("request_id")
        if not name:
            continue
        if one.get("error"):
            errors[name] = one["error"]
        if one["logger"] == "oakbank.deploy.logs":
            answered.append(one)
        elif one["logger"] in ("suppliers.bureau", "suppliers.identity"):
            asked.setdefault(name, {})[one["logger"].split(".")[1]] = one["milliseconds"]
    requests = []
    for one in answered:
        name = one["request_id"]
        parts = asked.get(name, {})
        own = one["milliseconds"] - sum(parts.values())
        requests.append(
            {
                "request_id": name,
                "status": one["status"],
                "version": one["model_version"],
                "error": errors.get(name),
                "milliseconds": parts | {"service": own},
            }
        )
    return requests
