# ---
# answers: ex2
# why: the temporary file from the standard library, taken away only when something went wrong
# ---
def write_whole(path, write):
    stream = tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False)
    try:
        with stream:
            write(stream)
    except BaseException:
        os.unlink(stream.name)
        raise
    Path(stream.name).replace(path)
