# ---
# answers: ex6
# why: the slope by hand, the verdict by hand
# ---
def weigh(models, gain, service, speed, week):
    n = len(models)
    mean_x, mean_y = sum(x for x, _ in models) / n, sum(y for _, y in models) / n
    up = sum((x - mean_x) * (y - mean_y) for x, y in models)
    down = sum((x - mean_x) ** 2 for x, _ in models)
    auc = up / down * gain * service["applications"]

    now = math.ceil(service["rate"] / service["each"])
    then = math.ceil(service["rate"] / (service["each"] * speed))
    least = service["least"]
    saved = (max(now, least) - max(then, least)) * service["hour"] * 730
    name, more = ("speed", saved) if saved > auc else ("auc", auc)
    months = week / more if more > 0 else math.inf
    if months > 12:
        name, months = "neither", None
    return {"do": name, "months": months, "auc": auc, "speed": saved}
