# ---
# answers: ex5
# why: the client's calls, and a set of run ids
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows, name="hold-out")
    tag = mlflow.entities.InputTag("mlflow.data.context", "evaluation")
    CLIENT.log_inputs(
        run_id, [mlflow.entities.DatasetInput(mlflow.entities.Dataset("rows", data.digest, "local", "{}"), [tag])]
    )
    everywhere = CLIENT.search_experiments(view_type=ViewType.ALL)
    found = CLIENT.search_runs(
        [one.experiment_id for one in everywhere],
        f"dataset.digest = '{data.digest}'",
        ViewType.ALL,
    )
    looked = set()
    for run in found:
        for one in run.inputs.dataset_inputs:
            used = {each.key: each.value for each in one.tags}
            if (one.dataset.digest, used.get("mlflow.data.context")) == (data.digest, "evaluation"):
                looked.add(run.info.run_id)
    return len(looked)
