# ---
# answers: ex5
# why: all runs as a frame, filtered by pandas
# ---
def find_runs(experiment, auc, data):
    table = mlflow.search_runs(experiment_names=[experiment])
    if table.empty or "metrics.auc" not in table:
        return []
    table = table[table["tags.data"] == data].dropna(subset="metrics.auc").sort_values("start_time")
    digits = len(auc) - auc.index(".") - 1
    written = table["metrics.auc"].map(lambda value: format(value, f".{digits}f"))
    return table.loc[written == auc, "run_id"].to_list()
