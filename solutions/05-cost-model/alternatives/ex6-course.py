# ---
# answers: ex6
# why: worth_of_auc and unit_cost of the course
# ---
def weigh(models, gain, service, speed, week):
    auc, profit = zip(*models, strict=True)
    brings = worth_of_auc(auc, profit) * gain * 1000 * service["applications"]

    def month(each):
        return unit_cost(service["rate"], 1 / each, each, service["hour"], service["least"]).month

    saves = month(service["each"]) - month(service["each"] * speed)
    answer = {"auc": brings, "speed": saves, "do": "neither", "months": None}
    best = max(brings, saves)
    if best * 12 >= week:
        answer["do"] = "speed" if best == saves else "auc"
        answer["months"] = week / best
    return answer
