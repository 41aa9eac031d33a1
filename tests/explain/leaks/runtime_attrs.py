"""A class of attrs for each message, kept by name."""

from typing import Any

import attrs

models: dict[str, Any] = {}


def leak(number: int) -> None:
    models[f"Order{number}"] = attrs.make_class(f"Order{number}", ["name", "price"])


def mended(number: int) -> None:
    if "Order" not in models:
        models["Order"] = attrs.make_class("Order", ["name", "price"])
