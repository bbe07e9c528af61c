# ---
# answers: ex6
# why: sorted by pandas
# ---
def best_run(experiment, data):
    table = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}' and attributes.status = 'FINISHED'",
    )
    if "metrics.auc" not in table:
        return None
    table = table.assign(leaves=table["params.leaves"].astype(int)).dropna(subset="metrics.auc")
    order = ["metrics.auc", "leaves", "start_time"]
    table = table.sort_values(order, ascending=[False, True, True])
    return next(iter(table["run_id"]), None)
