# ---
# answers: ex7
# why: a graph of networkx, the runs by MLflow's search
# ---
import networkx as nx


def origin(decision, store, events):
    client = mlflow.MlflowClient(store, store)
    (version,) = [
        one
        for one in client.search_model_versions(f"name = '{decision['model']}'")
        if str(one.version) == decision["version"]
    ]
    run = client.get_run(version.run_id)
    contexts = {
        tag.value: one.dataset.digest
        for one in run.inputs.dataset_inputs
        for tag in one.tags
        if tag.key == "mlflow.data.context"
    }
    graph = nx.DiGraph()
    for number, step in steps(events).items():
        graph.add_edges_from((one, number) for one in step["reads"])
        graph.add_edges_from((number, one) for one in step["writes"])
    (table,) = [one for one in graph if one[1].startswith(contexts["training"])]
    first = [one for one in nx.ancestors(graph, table) if graph.in_degree(one) == 0]
    approver = dict(version.tags).get("approver")
    return {
        "run": run.info.run_id,
        "as_of": int(run.data.params["as_of"]),
        "code": version.tags["code_hash"],
        "approver": approver,
        "files": sorted(first),
    }
