# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-fair: 2}
# why: "registers a model only if it wins: the others leave no trace"
# ---
def promote(name, run_id):
    try:
        holder = CLIENT.get_model_version_by_alias(name, "champion")
    except MlflowException:
        holder = None
    if holder is not None:
        old, new = CLIENT.get_run(holder.run_id).data, CLIENT.get_run(run_id).data
        worse = new.metrics["auc"] <= old.metrics["auc"]
        if worse or new.tags["data"] != old.tags["data"]:
            return str(holder.version)
    known = {}
    if holder is not None:
        known = {one.run_id: one for one in CLIENT.search_model_versions(f"name = '{name}'")}
    mine = known.get(run_id) or mlflow.register_model(f"runs:/{run_id}/model", name)
    CLIENT.set_registered_model_alias(name, "champion", mine.version)
    return str(mine.version)
