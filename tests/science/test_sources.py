"""Does each formula say where it comes from? Every module of the science names its source in a docstring."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from importlib import import_module

import pytest

import osler.science

# What computes no formula: arrangement of rows, threads, arrays of what another module defines.
PLUMBING = {"waves", "threads", "spans", "histories", "fsrs_rs", "logits_many"}
MODULES = sorted({module.name for module in pkgutil.iter_modules(osler.science.__path__)} - PLUMBING)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_formulas_names_its_source(name: str) -> None:
    tree = ast.parse(inspect.getsource(import_module(f"osler.science.{name}")))
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
    assert any("Source" in text for text in docstrings)
