"""What a recipe may name: closed tables from name to declared class. No torch is imported."""

from cnnspec.recipe.component import Component
from cnnspec.recipe.inits import Init
from cnnspec.recipe.losses import Loss
from cnnspec.recipe.optimizers import Optimizer
from cnnspec.recipe.schedulers import Scheduler

OPTIMIZERS = Optimizer.table()
SCHEDULERS = Scheduler.table()
LOSSES = Loss.table()
INITS = Init.table()

__all__ = ["INITS", "LOSSES", "OPTIMIZERS", "SCHEDULERS", "Component", "Init", "Loss", "Optimizer", "Scheduler"]
