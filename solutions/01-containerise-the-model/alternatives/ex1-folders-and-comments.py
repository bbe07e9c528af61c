# ---
# answers: ex1
# why: keeps everything out with two stars, brings folders back, with comments and a slash in front
# ---
def ignored():
    return "\n".join(
        [
            "# all of it",
            "**",
            "# but",
            "!/model.json",
            "!requirements.in",
            "!requirements.txt",
            "!wheelhouse/",
            "!oakbank/",
            "oakbank/**/.env*",
            "**/__pycache__/",
        ]
    )
