# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: forgets the temporary file when the write breaks off
# ---
def write_whole(path, write):
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w") as stream:
        write(stream)
    os.replace(temporary, path)
