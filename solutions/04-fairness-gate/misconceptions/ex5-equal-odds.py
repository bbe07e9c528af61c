# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: asks for equal rates among those who default
# ---
def equal_rates(past, people, seed):
    chosen = ThresholdOptimizer(
        estimator=AsIs(),
        constraints="false_positive_rate_parity",
        objective="balanced_accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    chosen.fit(past[["score"]], past["repaid"].astype(int), sensitive_features=past["group"])
    return (
        chosen.predict(people[["score"]], sensitive_features=people["group"], random_state=seed).astype(bool).tolist()
    )
