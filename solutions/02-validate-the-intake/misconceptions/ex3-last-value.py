# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: "groupby.last takes the last value that is there, column by column, and mixes two deliveries"
# ---
def intake(deliveries):
    rows = pd.concat(deliveries).groupby("application_id", as_index=False).last()
    return {int(month): part.reset_index(drop=True) for month, part in rows.groupby("month")}
