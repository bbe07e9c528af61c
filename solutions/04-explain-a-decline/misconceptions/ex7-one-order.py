# ---
# answers: ex7
# loses: {ex7-test-exact: 2}
# why: puts the columns in from left to right only; the steps add up in every order
# ---
def explain(model_text, background, people):
    booster = lgb.Booster(model_str=model_text)
    values = np.zeros(people.shape)
    start = booster.predict(background, raw_score=True).mean()
    for row, person in enumerate(people):
        mixed, before = background.copy(), start
        for column in range(people.shape[1]):
            mixed[:, column] = person[column]
            after = booster.predict(mixed, raw_score=True).mean()
            values[row, column], before = after - before, after
    return {"values": values, "start": float(start)}
