# ---
# answers: ex7
# loses: {ex7-test-leaky: 1}
# why: "gives live loans the share of their own month, which nobody knows yet: the leak keeps its promise"
# ---
def promises(loans, today):
    loans = loans.assign(honest=join_as_of(loans, loans))
    known = loans[loans["known_month"] < today].copy()
    live = loans[loans["month"].between(today, today + 2)].copy()
    last = known["month"].max()
    hold_out = known["month"] > last - 2
    shares = loans.groupby(["segment", "month"])["defaulted"].mean()
    known_shares = known.groupby(["segment", "month"])["defaulted"].mean()
    known["leaky"] = [known_shares[s, m] for s, m in zip(known["segment"], known["month"], strict=True)]
    live["leaky"] = [shares[s, m] for s, m in zip(live["segment"], live["month"], strict=True)]
    start = known.loc[~hold_out, "defaulted"].mean()
    known["honest"], live["honest"] = known["honest"].fillna(start), live["honest"].fillna(start)
    result = {}
    for name, columns in {"form": FORM, "leaky": [*FORM, "leaky"], "honest": [*FORM, "honest"]}.items():
        train = known[~hold_out]
        result[name] = auc(train, known[hold_out], columns), auc(train, live, columns)
    return result
