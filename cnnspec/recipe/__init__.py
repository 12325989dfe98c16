"""What a recipe may say, checked without torch."""
