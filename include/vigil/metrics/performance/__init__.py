"""What comes out, against what happened."""
