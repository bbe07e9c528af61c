# ---
# answers: ex2
# loses: {ex2-test-reader: 1}
# why: writes in place and puts the old content back if it breaks off; a reader finds a piece meanwhile
# ---
def write_whole(path, write):
    """Write a file so that it is there whole or not at all."""
    old = path.read_text() if path.exists() else None
    try:
        with path.open("w") as stream:
            write(stream)
    except BaseException:
        path.unlink()
        if old is not None:
            path.write_text(old)
        raise
