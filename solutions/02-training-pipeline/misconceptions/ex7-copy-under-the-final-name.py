# ---
# answers: ex7
# loses: {ex7-test-full: 2}
# why: makes the artefact, then copies it into the store under its final name, which a stop leaves as a piece
# ---
def resuming_pipeline():
    """Return a pipeline whose first step asks the store before it works."""

    @dsl.component(install_kfp_package=False, base_image="python:3.12")
    def kept_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import os
        import shutil

        from oakbank.world import World

        there = os.path.join(store, f"applications-{month}.csv")
        if os.path.exists(there):
            shutil.copyfile(there, rows.path)
        else:
            World(seed=5).applications(month).to_csv(rows.path, index=False)
            shutil.copyfile(rows.path, there)

    @dsl.pipeline(name="oakbank-resume")
    def pipeline(month: int, store: str) -> float:
        table = kept_applications(month=month, store=store)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
