# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
from collections.abc import Sequence
from typing import Any, Literal

from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar

