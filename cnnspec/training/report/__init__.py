"""What a run tells and keeps: lines, pictures, files."""
