"""The fields that show whether a row has changed: its key, etag and `_updated`, and the same of the lists inside it.

Rows without an etag, such as links, are compared by all their values. A signature is a shape, so that the functions
for queries and conversion work for it too.
"""

from collections.abc import Mapping
from dataclasses import replace

from ion_pipeline.catalog.catalog import Entity
from ion_pipeline.catalog.shape import NodeShape

UPDATED = "_updated"
_ETAG = "_etag"


def signature(entity: Entity, shape: NodeShape) -> NodeShape:
    """The part of an entity's shape by which its rows are compared with the stored rows."""
    return _reduced(shape, {entity.name: entity.key, **{child.table: child.key for child in entity.children}})


def _reduced(shape: NodeShape, keys: Mapping[str, tuple[str, ...]]) -> NodeShape:
    fields = tuple(field for field in shape.fields if field.present)
    if any(field.column.name == _ETAG for field in fields):
        compared = {*keys.get(shape.table, ()), _ETAG, UPDATED}
        fields = tuple(field for field in fields if field.column.name in compared)
    lists = tuple(replace(child, node=_reduced(child.node, keys)) for child in shape.lists)
    return NodeShape(shape.table, fields, shape.owner, lists)
