# ---
# answers: ex7
# loses: {ex7-test-full: 2}
# why: takes whatever lies in the store, of whatever month
# ---
def resuming_pipeline():
    @dsl.component(base_image="python:3.12", install_kfp_package=False)
    def kept_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import os
        import shutil
        from pathlib import Path

        from oakbank.world import World

        there = Path(store) / f"applications-{month}.csv"
        found = sorted(Path(store).glob("applications-*.csv"))
        if not found:
            part = there.with_suffix(".part")
            World(seed=5).applications(month).to_csv(part, index=False)
            os.replace(part, there)
            found = [there]
        shutil.copyfile(found[0], rows.path)

    @dsl.pipeline(name="oakbank-resume")
    def pipeline(month: int, store: str) -> float:
        table = kept_applications(month=month, store=store)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
