# ---
# answers: ex6
# why: a graph of networkx
# ---
import networkx as nx


def steps(events):
    found = {}
    for text in Path(events).read_text(encoding="utf-8").split("\n"):
        if text:
            event = json.loads(text)
            sides = [
                {(one["name"], one["facets"]["version"]["datasetVersion"]) for one in event[side]}
                for side in ("inputs", "outputs")
            ]
            old = found.get(event["run"]["runId"], {"reads": set(), "writes": set()})
            found[event["run"]["runId"]] = {
                "job": event["job"]["name"],
                "reads": old["reads"] | sides[0],
                "writes": old["writes"] | sides[1],
            }
    return found


def tainted(events, name, version):
    graph = nx.DiGraph()
    graph.add_node((name, version))
    for run_id, run in steps(events).items():
        graph.add_edges_from((one, run_id) for one in run["reads"])
        graph.add_edges_from((run_id, one) for one in run["writes"])
    hit = {one[0] for one in nx.descendants(graph, (name, version)) if isinstance(one, tuple)}
    begins = {"models": "registry", "decisions": "decisions", "letters": "letters"}
    return {kind: sorted(one for one in hit if one.split("/")[0] == begin) for kind, begin in begins.items()}
