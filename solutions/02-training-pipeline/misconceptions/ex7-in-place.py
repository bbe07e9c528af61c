# ---
# answers: ex7
# loses: {ex7-test-full: 2}
# why: writes into the store under the final name, so half a month passes for a month
# ---
def resuming_pipeline():
    @dsl.component(base_image="python:3.12", install_kfp_package=False)
    def kept_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import shutil
        from pathlib import Path

        from oakbank.world import World

        there = Path(store) / f"applications-{month}.csv"
        if not there.exists():
            World(seed=5).applications(month).to_csv(there, index=False)
        shutil.copyfile(there, rows.path)

    @dsl.pipeline(name="oakbank-resume")
    def pipeline(month: int, store: str) -> float:
        table = kept_applications(month=month, store=store)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
