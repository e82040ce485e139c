from typing import Any

from .core import ArrayIterator as ArrayIterator
from .core import AxisError as AxisError
from .core import Dtype as Dtype
from .core import array as array
from .core import async_eval as async_eval
from .core import bool_ as bool_
from .core import eval as eval

def __getattr__(name: str) -> Any: ...
