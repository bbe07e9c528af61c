# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: fills the store and never asks it, so each run does all the work again
# ---
def resuming_pipeline():
    @dsl.component(base_image="python:3.12", install_kfp_package=False)
    def kept_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import os
        import shutil

        from oakbank.world import World

        there = f"{store}/applications-{month}.csv"
        World(seed=5).applications(month).to_csv(there + ".part", index=False)
        os.replace(there + ".part", there)
        shutil.copyfile(there, rows.path)

    @dsl.pipeline(name="oakbank-resume")
    def pipeline(month: int, store: str) -> float:
        table = kept_applications(month=month, store=store)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
