"""Training steps of PyTorch that a GPU repeats without Python between its operations.

`sweet_keras.backends.torch.step` uses it; the other frameworks compile their steps.
"""
