"""The door for logs that others write: what their columns mean, and how rows become Vigil's own."""
