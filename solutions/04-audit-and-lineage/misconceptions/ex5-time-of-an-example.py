# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: copies the time of an example instead of asking the clock
# ---
def emit(events, folder, job, reads, writes):
    """Append the event of a run that has ended."""

    def told(kind, name):
        digest = hashlib.sha256(Path(folder, name).read_bytes()).hexdigest()
        facet = dataset_version_dataset.DatasetVersionDatasetFacet(digest)
        return kind("oakbank", name, facets={"version": facet})

    transport = FileTransport(FileConfig(events, append=True))
    OpenLineageClient(transport=transport).emit(
        lineage.RunEvent(
            eventType=lineage.RunState.COMPLETE,
            eventTime="2024-07-01T00:00:00Z",
            run=lineage.Run(runId=str(generate_new_uuid())),
            job=lineage.Job(namespace="oakbank", name=job),
            inputs=[told(lineage.InputDataset, name) for name in reads],
            outputs=[told(lineage.OutputDataset, name) for name in writes],
        )
    )
