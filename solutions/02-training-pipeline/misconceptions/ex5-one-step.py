# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: does everything in one component, so nothing can be reused or resumed
# ---
def income_pipeline():
    @dsl.component(base_image="python:3.12", install_kfp_package=False)
    def everything(month: int) -> float:
        from oakbank.world import World

        return float(World(seed=5).applications(month)["income"].mean())

    @dsl.pipeline(name="oakbank-income")
    def pipeline(month: int) -> float:
        return everything(month=month).outputs["Output"]

    return pipeline
