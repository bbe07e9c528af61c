# ---
# answers: ex7
# why: makes the artefact first, then puts a copy into the store through a temporary file
# ---
def resuming_pipeline():
    @dsl.component(base_image="python:3.12", install_kfp_package=False)
    def month_of_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import tempfile
        from pathlib import Path

        target = Path(store, f"applications-{month}.csv")
        try:
            Path(rows.path).write_bytes(target.read_bytes())
        except FileNotFoundError:
            from oakbank.world import World

            World(seed=5).applications(month).to_csv(rows.path, index=False)
            with tempfile.NamedTemporaryFile(dir=store, delete=False) as part:
                part.write(Path(rows.path).read_bytes())
            Path(part.name).replace(target)

    def resume(month: int, store: str) -> float:
        first = month_of_applications(store=store, month=month)
        second = mean_income(rows=first.outputs["rows"])
        return second.output

    return dsl.pipeline(name="oakbank-resume")(resume)
