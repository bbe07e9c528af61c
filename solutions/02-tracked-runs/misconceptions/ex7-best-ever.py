# ---
# answers: ex7
# loses: {ex7-test-fair: 2}
# why: compares with the best version ever, not with the champion
# ---
def promote(name, run_id):
    known = {one.run_id: one for one in CLIENT.search_model_versions(f"name = '{name}'")}
    mine = known.get(run_id) or mlflow.register_model(f"runs:/{run_id}/model", name)
    try:
        holder = CLIENT.get_model_version_by_alias(name, "champion")
    except MlflowException:
        holder = None
    if holder is not None:
        new, old = CLIENT.get_run(run_id).data, CLIENT.get_run(holder.run_id).data
        best = max(CLIENT.get_run(one).data.metrics["auc"] for one in known)
        if new.metrics["auc"] <= best or new.tags["data"] != old.tags["data"]:
            return str(holder.version)
    CLIENT.set_registered_model_alias(name, "champion", mine.version)
    return str(mine.version)
