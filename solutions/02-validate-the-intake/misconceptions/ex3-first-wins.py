# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: "keeps the first row of an application, and the correction is lost"
# ---
def intake(deliveries):
    rows = pd.concat(deliveries).drop_duplicates("application_id").sort_values("application_id")
    return {int(month): part.reset_index(drop=True) for month, part in rows.groupby("month")}
