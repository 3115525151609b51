{#- The text of `analyst_macros/abom_compare_as_of.sql`: `python -m tests.contract.analyst_macros` writes it. -#}
{% macro abom_compare_as_of() -%}
{%- set stood %}.valid_from <= sides.instant
        and coalesce(HISTORY.valid_to > sides.instant, true){% endset -%}
-- A unit at one instant against itself at another, at every level by part, quantity and designator: one row per line that
-- differs, with the columns of abom_compare. Which serial is on a line does not count; abom_version_changes tells that.
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

-- Every assembly that was ever in the unit: the comparison goes down from the unit and meets those that were there.
reached as (
    select cast(unit as bigint) as part_inventory_id
    union
    select below.part_inventory_id
    from genealogy.abom_line_history as below
    where
        -- Looked up in each turn; a join would read all assemblies of the plant first.
        below.parent_part_inventory_id in (select reached.part_inventory_id from reached)
        and below.is_assembly
        and not below.is_quarantined
),

assemblies as (
    -- As a list, so that nobody expects as many of them as there are in the plant and looks at all of them.
    select unnest(held.ids) as part_inventory_id
    from (select list(part_inventory_id) as ids from reached) as held
),

-- One unit is two here, one at each instant: an even number before and an odd one after, in the same order.
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
        and line{{ stood | replace('HISTORY', 'line') }}
),

configured as (
    select
        structure.part_inventory_id * 2 + sides.side as part_inventory_id,
        -- A tree that is followed no further has no hash, and is like no other.
        coalesce(
            structure.structure_hash, 'cut off: ' || (structure.part_inventory_id * 2 + sides.side)
        ) as configuration_hash
    from genealogy.abom_structure_history as structure
    cross join sides
    where
        structure.part_inventory_id in (select assemblies.part_inventory_id from assemblies)
        and structure{{ stood | replace('HISTORY', 'structure') }}
),

root as (
    select {{ shown_part('history.part_number', 'history.part_id') }} as part_number
    from sides
    inner join genealogy.abom_unit_history as history on history.part_inventory_id = cast(unit as bigint)
    where history{{ stood | replace('HISTORY', 'history') }}
    order by sides.side
    limit 1
),

{{ numbered_lines() }}

{{ compared_at_every_level(
    'cast(unit as bigint) * 2', '(cast(unit as bigint) * 2 + 1)', '(select root.part_number from root)', halved=true
) }}
{%- endmacro %}
