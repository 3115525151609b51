"""Compares the warehouse with the previous publish: what is the same, and what a publish writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.publish.dictionary import ColumnEntry, TableEntry, describe
from ion_pipeline.publish.entities import entity_states
from ion_pipeline.publish.kept import Kept, Previous, Relation, find_kept, form_of, state_of
from ion_pipeline.publish.names import SOURCE
from ion_pipeline.publish.parts import Divided, Part, find_parts
from ion_pipeline.publish.whole import COMPARING
from ion_pipeline.warehouse import ENTITY_SCHEMA, EntityState, EntityTable, Resources
from ion_pipeline.warehouse.sql import identifier


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publish keeps and writes.

    Attributes:
        states: The state of each table, in their order.
        kept: What it keeps of the previous publish.
        new: The tables of models to write, as a whole or the parts that differ.
        entities: The states of ION's tables, by name.
        to_make: Those to make.
        in_parts: Those of which only some parts are made.
    """

    states: Mapping[Relation, str]
    kept: Kept
    new: Mapping[Relation, Divided]
    entities: Mapping[str, EntityState]
    to_make: Sequence[EntityTable]
    in_parts: Mapping[Relation, Divided]


class Comparison:
    """Compares tables with those of the previous publish.

    Args:
        connection: A connection that the warehouse is attached to.
        previous: The previous publish.
        part_rows: See `parts.PART_ROWS`.
        with_parquet: Whether what is kept must have its Parquet files, too.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, previous: Previous, *, part_rows: int, with_parquet: bool
    ) -> None:
        self._connection, self._previous = connection, previous
        self._part_rows, self._with_parquet = part_rows, with_parquet

    def plan(
        self,
        relations: Collection[Relation],
        entity_tables: Sequence[EntityTable],
        resources: Resources | None,
        on_count: OnCount,
    ) -> Plan:
        """Compare all tables.

        Args:
            relations: The tables and views of models, which are read.
            entity_tables: The tables of ION's entities and lists, of which the states are compared.
            resources: Memory and threads.
            on_count: Called before each table that is read.
        """
        described = {
            (table.schema, table.table): table
            for table in describe(self._connection, SOURCE, dict.fromkeys(relations, 0))
        }
        found = {
            relation: self.divided(identifier(SOURCE, *relation), described[relation], 0)
            for relation in counted(list(relations), on_count, unit="tables", doing=COMPARING, name=".".join)
        }
        entities = entity_states(self._connection, entity_tables)
        states = {relation: state_of(form_of(one.table), one.fingerprint) for relation, one in found.items()}
        states |= {(ENTITY_SCHEMA, name): one.digest for name, one in entities.items()}
        ions = {
            (ENTITY_SCHEMA, table.name): one
            for table in entity_tables
            if table.name in entities and (one := self._divided_before(table, entities[table.name]))
        }
        kept = find_kept(
            states,
            self._previous,
            {relation for relation, one in (found | ions).items() if one.kept},
            with_parquet=self._with_parquet,
            resources=resources,
        )
        new = {
            relation: one if relation in kept.with_parts else replace(one, kept=frozenset())
            for relation, one in found.items()
            if relation not in kept.entries
        }
        to_make = [
            table
            for table in entity_tables
            if table.name in entities and (ENTITY_SCHEMA, table.name) not in kept.entries
        ]
        in_parts = {relation: one for relation, one in ions.items() if relation in kept.with_parts}
        return Plan(states, kept, new, entities, to_make, in_parts)

    def divided(self, source: str, table: TableEntry, place: int) -> Divided:
        """Read the rows of a table, and find its parts and those that the previous publish has, too.

        Args:
            source: SQL of what has the rows, as for `find_parts`.
            table: The table.
            place: The place of the column of its ranges among its columns.
        """
        relation, column = (table.schema, table.table), table.columns[place]
        before = self._previous.parts(relation, form_of(table))
        parts = find_parts(self._connection, source, column, before, part_rows=self._part_rows)
        entries = self._previous.entries.get(relation, {}).get("parts", ())
        there = {Part.from_json(entry) for entry in entries if not self._with_parquet or self._previous.has_file(entry)}
        kept = frozenset(there.intersection(before, parts)) if len(parts) > 1 else frozenset()
        return Divided(table, column, parts, kept)

    def _divided_before(self, table: EntityTable, state: EntityState) -> Divided | None:
        """A table of ION that has changed, if the previous publish has it in parts, of which some may be the same."""
        columns = tuple(ColumnEntry(one.name, one.type, one.description) for one in table.columns)
        described = TableEntry(ENTITY_SCHEMA, table.name, state.description, 0, columns)
        relation = (ENTITY_SCHEMA, table.name)
        if self._previous.entries.get(relation, {}).get("state") == state.digest or not self._previous.parts(
            relation, form_of(described)
        ):
            return None
        self._connection.execute(f"use {SOURCE}")
        divided = self.divided(f"({table.query})", described, table.key_place)
        self._connection.execute("use memory")
        return divided
