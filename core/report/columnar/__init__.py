"""Tables in binary formats; loads pyarrow."""
