"""Training: data sets, augmentation and the loop that runs a recipe.

Importing this package imports nothing. `catalogue` and `augmentations` need no torch, so that `check` can read recipes.
"""
