{#- The text of `analyst_macros/abom_compare.sql`: `python -m tests.contract.analyst_macros` writes it. -#}
{% macro abom_compare() -%}
-- Compares two as-built units at every level, by part, quantity and designator: one row per line that differs. A line
-- below which levels are left out has a row `not_compared`.
-- Written from macros/dialect/compare by `python -m tests.contract.analyst_macros`; a test compares the two.
create or replace macro abom_compare(unit_a, unit_b) as table
with recursive units as (
    -- A list hides the row count from the optimizer, which would otherwise plan for all units of the plant.
    select unnest(held.ids) as part_inventory_id
    from (
        select list(distinct part_inventory_id) as ids
        from genealogy.abom_hierarchy
        where root_part_inventory_id in (unit_a, unit_b)
    ) as held
),

installations as (
    select *
    from genealogy.abom_installations
    where parent_part_inventory_id in (select units.part_inventory_id from units)
),

configured as (
    select *
    from genealogy.abom_configurations
    where part_inventory_id in (select units.part_inventory_id from units)
),

{{ numbered_lines() }}

{{ compared_at_every_level(
    'unit_a',
    'unit_b',
    '(select ' ~ shown_part('part_number', 'part_id')
    ~ ' from reference.part_inventories where part_inventory_id = unit_a)'
) }}
{%- endmacro %}
