# ---
# answers: ex8
# loses: {ex8-test: 3}
# why: raises where there is no champion
# ---
def answer(name, features):
    version = CLIENT.get_model_version_by_alias(name, "champion")
    run = mlflow.get_run(version.run_id)
    digests = {
        tag.value: told.dataset.digest
        for told in run.inputs.dataset_inputs
        for tag in told.tags
        if tag.key == "mlflow.data.context"
    }
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    return {
        "scores": model.predict(features).tolist(),
        "version": str(version.version),
        "run_id": version.run_id,
        "params": run.data.params,
        "trained_on": digests.get("training") or digests["train"],
    }
