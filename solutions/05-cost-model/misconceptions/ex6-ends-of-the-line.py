# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: the slope is that between the worst and the best model
# ---
def weigh(models, gain, service, speed, week):
    """Return "auc", "speed", "do" and "months"."""

    def bill(each):
        machines = max(service["least"], math.ceil(service["rate"] / each))
        return machines * service["hour"] * 730

    auc, earned = np.transpose(models)
    low, high = np.argmin(auc), np.argmax(auc)
    slope = (earned[high] - earned[low]) / (auc[high] - auc[low])
    brings = {
        "auc": float(slope * gain * service["applications"]),
        "speed": bill(service["each"]) - bill(speed * service["each"]),
    }
    do = max(brings, key=brings.get)
    if 12 * brings[do] < week:
        return brings | {"do": "neither", "months": None}
    return brings | {"do": do, "months": week / brings[do]}
