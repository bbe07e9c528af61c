# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: "files a late row under the month of the delivery that brought it"
# ---
def intake(deliveries):
    stamped = [part.assign(month=part["month"].max()) for part in deliveries if len(part)]
    rows = pd.concat(stamped).drop_duplicates("application_id", keep="last").sort_values("application_id")
    return {int(month): part.reset_index(drop=True) for month, part in rows.groupby("month")}
