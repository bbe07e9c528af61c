# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: catches the exception, so the caller believes that the file was written
# ---
def write_whole(path, write):
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("w") as stream:
            write(stream)
        os.replace(temporary, path)
    except Exception:
        temporary.unlink(missing_ok=True)
