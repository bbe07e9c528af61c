# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: "makes the version by the client, which does not look up `runs:/`: it cannot be loaded"
# ---
def promote(name, run_id):
    known = {one.run_id: one for one in CLIENT.search_model_versions(f"name = '{name}'")}
    with contextlib.suppress(MlflowException):
        CLIENT.create_registered_model(name)
    mine = known.get(run_id) or CLIENT.create_model_version(name, f"runs:/{run_id}/model", run_id)
    try:
        holder = CLIENT.get_model_version_by_alias(name, "champion")
    except MlflowException:
        holder = None
    if holder is not None:
        old, new = CLIENT.get_run(holder.run_id).data, CLIENT.get_run(run_id).data
        worse = new.metrics["auc"] <= old.metrics["auc"]
        if worse or new.tags["data"] != old.tags["data"]:
            return str(holder.version)
    CLIENT.set_registered_model_alias(name, "champion", mine.version)
    return str(mine.version)
