{#- The text of `analyst_macros/abom_compare_as_of.sql`: `python -m tests.contract.analyst_macros` writes it. -#}
{% macro abom_compare_as_of() -%}
{%- set valid_at_instant %}.valid_from <= sides.instant
        and coalesce(HISTORY.valid_to > sides.instant, true){% endset -%}
-- Compares a unit at one instant with itself at another, at every level, by part, quantity and designator: one row per
-- line that differs, with the columns of abom_compare. Serial numbers do not count; abom_version_changes has them.
-- Written from macros/dialect/compare by `python -m tests.contract.analyst_macros`; a test compares the two.
create or replace macro abom_compare_as_of(unit, instant_a, instant_b) as table
with recursive sides as (
    select
        0 as side,
        cast(instant_a as timestamptz) as instant
    union all
    select
        1 as side,
        cast(instant_b as timestamptz) as instant
),

-- Every assembly that was ever in the unit; the comparison uses those that were there at the two instants.
reached as (
    select cast(unit as bigint) as part_inventory_id
    union
    select below.part_inventory_id
    from genealogy.abom_line_history as below
    where
        -- An `in` is looked up in each round of the recursion; a join would first read all assemblies of the plant.
        below.parent_part_inventory_id in (select reached.part_inventory_id from reached)
        and below.is_assembly
        and not below.is_quarantined
),

assemblies as (
    -- A list hides the row count from the optimizer, which would otherwise plan for all units of the plant.
    select unnest(held.ids) as part_inventory_id
    from (select list(part_inventory_id) as ids from reached) as held
),

-- Each unit has two ids here, one per instant: an even id before and an odd id after, in the same order.
installations as (
    select
        line.parent_part_inventory_id * 2 + sides.side as parent_part_inventory_id,
        line.part_inventory_id * 2 + sides.side as child_part_inventory_id,
        line.part_id as child_part_id,
        line.part_number as child_part_number,
        line.part_revision as child_part_revision,
        line.serial_number as child_serial_number,
        line.lot_number as child_lot_number,
        line.build_requirement_id,
        line.origin_mbom_item_id,
        line.origin_mbom_id,
        line.required_part_number,
        line.reference_designator,
        line.designator_key,
        line.quantity_per_piece,
        line.is_substitute,
        line.is_quarantined
    from genealogy.abom_line_history as line
    cross join sides
    where
        line.parent_part_inventory_id in (select assemblies.part_inventory_id from assemblies)
        and not line.is_open_requirement
        and line{{ valid_at_instant | replace('HISTORY', 'line') }}
),

configured as (
    select
        structure.part_inventory_id * 2 + sides.side as part_inventory_id,
        -- A tree that is cut off has no hash and equals no other tree.
        coalesce(
            structure.structure_hash, 'cut off: ' || (structure.part_inventory_id * 2 + sides.side)
        ) as configuration_hash
    from genealogy.abom_structure_history as structure
    cross join sides
    where
        structure.part_inventory_id in (select assemblies.part_inventory_id from assemblies)
        and structure{{ valid_at_instant | replace('HISTORY', 'structure') }}
),

root as (
    select {{ shown_part('history.part_number', 'history.part_id') }} as part_number
    from sides
    inner join genealogy.abom_unit_history as history on history.part_inventory_id = cast(unit as bigint)
    where history{{ valid_at_instant | replace('HISTORY', 'history') }}
    order by sides.side
    limit 1
),

{{ numbered_lines() }}

{{ compared_at_every_level(
    'cast(unit as bigint) * 2', '(cast(unit as bigint) * 2 + 1)', '(select root.part_number from root)', halved=true
) }}
{%- endmacro %}
