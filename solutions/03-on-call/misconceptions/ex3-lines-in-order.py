# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: takes a request for closed at its last line, and so needs an order of the lines
# ---
def read_log(lines):
    found, asked, errors = [], {}, {}
    for line in lines:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        name = told.get("request_id")
        if not name:
            continue
        if told.get("error"):
            errors[name] = told["error"]
        if told["logger"] in ("suppliers.bureau", "suppliers.identity"):
            asked.setdefault(name, {})[told["logger"].removeprefix("suppliers.")] = told["milliseconds"]
        if told["logger"] == "oakbank.deploy.logs":
            took = asked.get(name, {})
            found.append(
                {
                    "request_id": name,
                    "status": told["status"],
                    "version": told["model_version"],
                    "error": errors.get(name),
                    "milliseconds": {"service": told["milliseconds"] - sum(took.values()), **took},
                }
            )
    return found
