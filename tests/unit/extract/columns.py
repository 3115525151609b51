"""A column of each type."""

import pyarrow as pa

from ion_pipeline.catalog.catalog import TIMESTAMP, Column

INT = Column("n", "n", "Int", pa.int64())
FLOAT = Column("x", "x", "Float", pa.float64())
BOOLEAN = Column("b", "b", "Boolean", pa.bool_())
STRING = Column("s", "s", "String", pa.string())
TIME = Column("t", "t", "DateTime", TIMESTAMP)
JSON = Column("v", "v", "ScalarValue", pa.string(), is_json=True)
STRINGS = Column("l", "l", "String", pa.list_(pa.string()))
FLOATS = Column("f", "f", "Float", pa.list_(pa.float64()))
INTS = Column("i", "i", "Int", pa.list_(pa.int64()))
