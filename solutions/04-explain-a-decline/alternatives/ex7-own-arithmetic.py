# ---
# answers: ex7
# why: all orders by hand, without shap; each mean is worked out once
# ---
from functools import cache


def explain(model_text, background, people):
    booster = lgb.Booster(model_str=model_text)
    features = range(people.shape[1])
    values = np.zeros(people.shape)
    for row, person in enumerate(people):

        @cache
        def mean(known, person=person):
            mixed = np.where([column in known for column in features], person, background)
            return booster.predict(mixed, raw_score=True).mean()

        orders = list(permutations(features))
        for order in orders:
            for place, column in enumerate(order):
                step = mean(frozenset(order[: place + 1])) - mean(frozenset(order[:place]))
                values[row, column] += step / len(orders)
    return {"values": values, "start": float(booster.predict(background, raw_score=True).mean())}
