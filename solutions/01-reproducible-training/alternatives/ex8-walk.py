# ---
# answers: ex8
# why: os.walk that never enters what is left out; a set of all names for the comparison
# ---
import os


def manifest(folder):
    found = {}
    for parent, below, files in os.walk(folder):
        below[:] = [name for name in below if name != "__pycache__" and name[0] != "."]
        for name in files:
            if name[0] != "." and name != "__pycache__":
                with open(os.path.join(parent, name), "rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                found[os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/")] = digest
    return found


def verify(folder, expected):
    there, report = manifest(folder), []
    for name in set(there) | set(expected):
        if name not in there:
            report.append("missing " + name)
        elif name not in expected:
            report.append("new " + name)
        elif there[name] != expected[name]:
            report.append("changed " + name)
    report.sort()
    return report
