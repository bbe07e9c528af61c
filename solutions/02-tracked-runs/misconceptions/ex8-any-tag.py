# ---
# answers: ex8
# loses: {ex8-test: 3}
# why: looks for the value `training` in any tag of an input, whatever its key
# ---
def answer(name, features):
    try:
        champion = CLIENT.get_model_version_by_alias(name, "champion")
    except MlflowException:
        return None
    run = mlflow.get_run(champion.run_id)
    digest = [
        d.dataset.digest for d in run.inputs.dataset_inputs if any(t.value in ("train", "training") for t in d.tags)
    ]
    return {
        "scores": list(mlflow.pyfunc.load_model(champion.source).predict(features)),
        "version": champion.version,
        "run_id": run.info.run_id,
        "params": run.data.params,
        "trained_on": digest[0],
    }
