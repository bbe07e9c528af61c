# ---
# answers: ex7
# why: reads the alias off the registered model, and the model off the run
# ---
def promote(name, run_id):
    run = mlflow.get_run(run_id)
    versions = CLIENT.search_model_versions(f"name='{name}'")
    mine = [str(one.version) for one in versions if one.run_id == run_id]
    if not mine:
        (model,) = run.outputs.model_outputs
        mine = [str(mlflow.register_model(f"models:/{model.model_id}", name).version)]
    holder = CLIENT.get_registered_model(name).aliases.get("champion")
    if holder is not None:
        other = mlflow.get_run(CLIENT.get_model_version(name, holder).run_id)
        same = other.data.tags["data"] == run.data.tags["data"]
        if not (same and run.data.metrics["auc"] > other.data.metrics["auc"]):
            return str(holder)
    CLIENT.set_registered_model_alias(name, "champion", mine[0])
    return mine[0]
