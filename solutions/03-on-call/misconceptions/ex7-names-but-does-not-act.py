# ---
# answers: ex7
# loses: {ex7-test-euros: 2}
# why: finds each cause and goes to bed
# ---
def next_step(state):
    seen = {one["what"]: one["answer"] for one in state["seen"]}
    alert = state["alert"]

    def ask(what):
        return {"do": "query", "what": what}

    def finish(cause, act="", target=""):
        if act == "wait" and not state["done"]:
            return {"do": "act", "what": act, "target": target}
        return {"do": "close", "cause": cause, "reason": f"{alert}: {', '.join(seen)} say {cause} {target}"}

    if alert in ("ServiceErrors", "ServiceSlow"):
        if "logs" not in seen:
            return ask("logs")
        blame = lay_blame(read_log(seen["logs"].splitlines()))
        if blame["version"]:
            return finish("release", "rollback")
        if alert == "ServiceErrors":
            full = blame["error"] == "OperationalError"
            return finish("disk", "free_disk") if full else finish("input", "quarantine")
        if blame["part"] is None:
            return finish("chance")
        if blame["part"] == "service":
            return finish("worker", "restart")
        return finish("dependency", "bypass", blame["part"])
    if alert == "RefreshFailing":
        if "host" not in seen:
            return ask("host")
        return finish("registry", "renew") if seen["host"]["certificate_days"] < 0 else finish("chance")
    if alert == "DefaultsAboveForecast":
        if "outcomes" not in seen:
            return ask("outcomes")
        found = outcomes_say(seen["outcomes"])
        return finish(found or "chance", "retrain" if found == "recession" else "")
    if "inputs" not in seen:
        return ask("inputs")
    said = inputs_say(seen["inputs"])
    if said["cause"] in ("feed", "stale"):
        return finish(said["cause"], "repair", said["column"])
    if said["cause"] == "applicants":
        return finish("applicants", "retrain")
    if alert != "ApprovalsMoved":
        return finish("chance")
    if "metrics" not in seen:
        return ask("metrics")
    yes, no = (increases(seen["metrics"][f'oakbank_decisions_total{{granted="{name}"}}']) for name in ("true", "false"))
    share = [y / (y + n) if y is not None and n is not None and y + n else None for y, n in zip(yes, no, strict=True)]
    if change(share)["at"] is None:
        return finish("chance")
    if "releases" not in seen:
        return ask("releases")
    return finish("release", "rollback")
