"""From a template to a network of another size."""
