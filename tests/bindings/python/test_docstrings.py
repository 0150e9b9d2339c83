# SPDX-License-Identifier: MIT
"""Every snippet of every docstring runs and says what it says it says; everything public has a docstring."""
import doctest
import importlib
import inspect
import pkgutil

import cryptosmart
import pytest

MODULES = sorted(["cryptosmart", *(f"cryptosmart.{m.name}" for m in pkgutil.iter_modules(cryptosmart.__path__) if m.name != "_native")])


@pytest.mark.parametrize("name", MODULES)
def test_snippets_run(name, trained):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        test.globs.update(sample=trained)
        runner.run(test)
    assert runner.failures == 0


def test_snippets_are_found():
    finder = doctest.DocTestFinder(exclude_empty=True)
    snippets = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(snippets) >= 20


def test_everything_public_is_documented():
    bare = [name for name in cryptosmart.__all__ if not inspect.getdoc(getattr(cryptosmart, name))]
    assert bare == []
    for name in ("calibrate", "drift", "model", "indicators", "plots", "tune", "workspace"):
        module = getattr(cryptosmart, name)
        for key, value in vars(module).items():
            own = getattr(value, "__module__", "") == module.__name__
            if own and not key.startswith("_") and callable(value):
                assert inspect.getdoc(value), f"{name}.{key}"
