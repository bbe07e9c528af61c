# ---
# answers: ex4
# why: each application is sent to the months in which it counts; an array comes back
# ---
def recent(applications, asked, window=3):
    sent = [applications[["segment", "month"]].assign(month=applications["month"] + k) for k in range(1, window + 1)]
    counts = pd.concat(sent).value_counts(["segment", "month"]).rename("n").reset_index()
    return asked.merge(counts, on=["segment", "month"], how="left")["n"].fillna(0).astype(int).to_numpy()
