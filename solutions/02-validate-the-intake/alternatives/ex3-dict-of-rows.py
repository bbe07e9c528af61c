# ---
# answers: ex3
# why: "a dict by application, in which a later row replaces an earlier one"
# ---
def intake(deliveries):
    latest = {}
    for part in deliveries:
        for row in part.to_dict("records"):
            latest[row["application_id"]] = row
    months = {}
    for _, row in sorted(latest.items()):
        months.setdefault(int(row["month"]), []).append(row)
    return {month: pd.DataFrame(rows) for month, rows in months.items()}
