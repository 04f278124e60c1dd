"""Training steps of PyTorch that a GPU repeats without Python between its operations.

Not part of what the three backends have alike: `torch.step` is, which uses it.
"""
