"""Files that one framework alone can read or write, whatever backend Keras runs on."""
