# ---
# answers: ex6
# loses: {ex6-test-verdict: 2}
# why: the week must be brought back in one month
# ---
def weigh(models, gain, service, speed, week):
    """Return "auc", "speed", "do" and "months"."""

    def bill(each):
        machines = max(service["least"], math.ceil(service["rate"] / each))
        return machines * service["hour"] * 730

    auc, earned = np.transpose(models)
    slope = np.polyfit(auc, earned, 1)[0]
    brings = {
        "auc": float(slope * gain * service["applications"]),
        "speed": bill(service["each"]) - bill(speed * service["each"]),
    }
    do = max(brings, key=brings.get)
    if brings[do] < week:
        return brings | {"do": "neither", "months": None}
    return brings | {"do": do, "months": week / brings[do]}
