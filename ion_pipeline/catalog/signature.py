"""What tells whether a row is as it was: its key, etag and `_updated`, and as much of the lists inside it.

Rows without an etag, such as links, tell it by their values alone. A signature is a shape like any other, so that the
same documents and conversion serve it.
"""

from collections.abc import Mapping
from dataclasses import replace

from ion_pipeline.catalog.catalog import Entity
from ion_pipeline.catalog.shape import NodeShape

UPDATED = "_updated"
_ETAG = "_etag"


def signature(entity: Entity, shape: NodeShape) -> NodeShape:
    """The part of an entity's shape by which its rows are compared with what is known."""
    return _reduced(shape, {entity.name: entity.key, **{child.table: child.key for child in entity.children}})


def _reduced(shape: NodeShape, keys: Mapping[str, tuple[str, ...]]) -> NodeShape:
    fields = tuple(field for field in shape.fields if field.present)
    if any(field.column.name == _ETAG for field in fields):
        telling = {*keys.get(shape.table, ()), _ETAG, UPDATED}
        fields = tuple(field for field in fields if field.column.name in telling)
    lists = tuple(replace(child, node=_reduced(child.node, keys)) for child in shape.lists)
    return NodeShape(shape.table, fields, shape.owner, lists)
