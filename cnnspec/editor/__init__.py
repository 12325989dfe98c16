"""What editors and pages that show specs need."""
