"""What can be found out about a checked network beyond its shapes."""
