# ---
# answers: ex5
# why: the client's event, written by hand
# ---
from openlineage.client.serde import Serde


def emit(events, folder, job, reads, writes):
    def sets(kind, names):
        found = []
        for name in names:
            with open(Path(folder) / name, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            found.append(
                kind(
                    namespace="oakbank",
                    name=name,
                    facets={"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=digest)},
                )
            )
        return found

    event = lineage.RunEvent(
        eventType=lineage.RunState.COMPLETE,
        eventTime=datetime.now().astimezone().isoformat(),
        run=lineage.Run(runId=str(uuid.uuid4())),
        job=lineage.Job("oakbank", job),
        inputs=sets(lineage.InputDataset, reads),
        outputs=sets(lineage.OutputDataset, writes),
    )
    with open(events, "a", encoding="utf-8") as stream:
        stream.write(Serde.to_json(event) + "\n")
