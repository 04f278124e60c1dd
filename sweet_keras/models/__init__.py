"""Models: the masked autoencoder, the plain backbone, task models."""
