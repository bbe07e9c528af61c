"""The credit model as ONNX, which chapter 3 exports for the edge; here it runs in the service, for its speed."""

from oakbank.deploy.onnx_runtime import MAX_DIFFERENCE, OnnxModel, threshold_probe

__all__ = ["MAX_DIFFERENCE", "OnnxModel", "threshold_probe"]
