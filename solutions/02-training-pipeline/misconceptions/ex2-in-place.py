# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-reader: 1}
# why: opens the file itself, which empties it before the first new byte is there
# ---
def write_whole(path, write):
    with path.open("w") as stream:
        write(stream)
