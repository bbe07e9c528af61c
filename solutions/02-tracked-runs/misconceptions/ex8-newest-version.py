# ---
# answers: ex8
# loses: {ex8-test: 3}
# why: asks the newest version, not the champion
# ---
def answer(name, features):
    versions = CLIENT.search_model_versions(f"name = '{name}'")
    if not versions:
        return None
    version = max(versions, key=lambda one: int(one.version))
    run = mlflow.get_run(version.run_id)
    digests = {
        tag.value: told.dataset.digest
        for told in run.inputs.dataset_inputs
        for tag in told.tags
        if tag.key == "mlflow.data.context"
    }
    model = mlflow.pyfunc.load_model(f"models:/{name}/{version.version}")
    return {
        "scores": model.predict(features).tolist(),
        "version": str(version.version),
        "run_id": version.run_id,
        "params": run.data.params,
        "trained_on": digests.get("training") or digests["train"],
    }
