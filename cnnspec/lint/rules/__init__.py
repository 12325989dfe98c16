"""The rules, a file each: the page of a warning, its words, and the function that looks for it and registers itself."""
