# ---
# answers: ex7
# why: asks in a fixed order by alert, metrics first
# ---
PLANS = {
    "ServiceErrors": ["logs"],
    "ServiceSlow": ["metrics", "logs"],
    "RefreshFailing": ["host"],
    "DefaultsAboveForecast": ["outcomes"],
    "InputsBroken": ["inputs"],
    "InputsMoved": ["inputs"],
    "ApprovalsMoved": ["releases", "inputs", "metrics"],
}


def step_of(readings):
    grown = {name: increases(readings[f'oakbank_decisions_total{{granted="{name}"}}']) for name in ("true", "false")}
    pairs = zip(grown["true"], grown["false"], strict=True)
    return change([None if None in pair or not sum(pair) else pair[0] / sum(pair) for pair in pairs])["at"]


def cause_of(alert, seen):
    if alert in ("ServiceErrors", "ServiceSlow"):
        blame = lay_blame(read_log(seen["logs"].splitlines()))
        if blame["version"]:
            return "release", ""
        by_error = {"OperationalError": ("disk", ""), "ValueError": ("input", "")}
        by_part = {
            "service": ("worker", ""),
            "bureau": ("dependency", "bureau"),
            "identity": ("dependency", "identity"),
        }
        found = by_error.get(blame["error"]) or by_part.get(blame["part"])
        return found or ("chance", "")
    if alert == "RefreshFailing":
        return ("registry" if seen["host"]["certificate_days"] < 0 else "chance"), ""
    if alert == "DefaultsAboveForecast":
        return outcomes_say(seen["outcomes"]) or "chance", ""
    said = inputs_say(seen["inputs"])
    if said["cause"]:
        return said["cause"], said["column"] or ""
    moved = alert == "ApprovalsMoved" and step_of(seen["metrics"]) is not None
    return ("release" if moved else "chance"), ""


def next_step(state):
    seen = {one["what"]: one["answer"] for one in state["seen"]}
    for what in PLANS[state["alert"]]:
        if what not in seen:
            return {"do": "query", "what": what}
    cause, target = cause_of(state["alert"], seen)
    if KINDS[cause].act and not state["done"]:
        return {"do": "act", "what": KINDS[cause].act, "target": target}
    return {"do": "close", "cause": cause, "reason": "as the answers say"}
