# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: "looks for duplicates within each month, so a row corrected to another month counts twice"
# ---
def intake(deliveries):
    rows = pd.concat(deliveries).drop_duplicates(["application_id", "month"], keep="last").sort_values("application_id")
    return {int(month): part.reset_index(drop=True) for month, part in rows.groupby("month")}
