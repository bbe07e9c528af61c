"""The ground floor: errors, files, processes and text, by the standard library and `psutil` alone."""
