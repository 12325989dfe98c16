"""What a recipe may name: closed tables from name to declared class. No torch is imported."""

from cnnspec.recipe.component import Component, table_of
from cnnspec.recipe.inits import Init
from cnnspec.recipe.losses import Loss
from cnnspec.recipe.optimizers import Optimizer
from cnnspec.recipe.schedulers import Scheduler

OPTIMIZERS = table_of(Optimizer)
SCHEDULERS = table_of(Scheduler)
LOSSES = table_of(Loss)
INITS = table_of(Init)

__all__ = ["INITS", "LOSSES", "OPTIMIZERS", "SCHEDULERS", "Component", "Init", "Loss", "Optimizer", "Scheduler"]
