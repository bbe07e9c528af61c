"""Two packages of one model, as functions of a platform: files to be run, not modules to be imported."""

from pathlib import Path

AS_TRAINED = Path(__file__).with_name("as_trained.py")
"""With the library that trained the model; reads `model.txt` of the working directory."""
AS_EXPORTED = Path(__file__).with_name("as_exported.py")
"""With ONNX Runtime; reads `model.onnx` of the working directory."""
