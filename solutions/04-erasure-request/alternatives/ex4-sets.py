# ---
# answers: ex4
# why: collects by experiment, and deletes at the end
# ---
def erase_runs(uri, application):
    from mlflow.cli import gc

    client, wanted = mlflow.MlflowClient(tracking_uri=uri), {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            values = list(run.data.tags.values()) + list(run.data.params.values())
            example = Path(run.info.artifact_uri[len("file://") :], "input_example.json")
            if example.is_file():
                table = json.loads(example.read_text())
                frame = pd.DataFrame(table["data"], columns=table["columns"])
                values += [str(one) for one in frame["application_id"]]
            if str(application) in values:
                wanted[run.info.run_id] = run.info.lifecycle_stage
    for number, stage in wanted.items():
        if stage != "deleted":
            client.delete_run(number)
        gc.main(["--backend-store-uri", uri, "--tracking-uri", uri, "--run-ids", number], standalone_mode=False)
    return sorted(wanted)
