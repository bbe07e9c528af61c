# ---
# answers: ex7
# loses: {ex7-test-full: 2}
# why: reads from the store and never puts anything there
# ---
def resuming_pipeline():
    @dsl.component(base_image="python:3.12", install_kfp_package=False)
    def kept_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import shutil
        from pathlib import Path

        from oakbank.world import World

        there = Path(store) / f"applications-{month}.csv"
        if there.exists():
            shutil.copyfile(there, rows.path)
        else:
            World(seed=5).applications(month).to_csv(rows.path, index=False)

    @dsl.pipeline(name="oakbank-resume")
    def pipeline(month: int, store: str) -> float:
        table = kept_applications(month=month, store=store)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
