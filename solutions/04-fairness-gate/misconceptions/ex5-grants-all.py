# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: takes accuracy as objective, which grants nearly everybody where most repay
# ---
def equal_rates(past, people, seed):
    chosen = ThresholdOptimizer(
        estimator=AsIs(),
        constraints="demographic_parity",
        objective="selection_rate",
        prefit=True,
        predict_method="predict_proba",
    )
    chosen.fit(past[["score"]], past["repaid"].astype(int), sensitive_features=past["group"])
    return (
        chosen.predict(people[["score"]], sensitive_features=people["group"], random_state=seed).astype(bool).tolist()
    )
