{{ config(materialized='table') }}

with changed as (
    select * from {{ ref('int_abom_history__changed_units') }}
),

{%- set columns = [
    'line_key', 'build_requirement_id', 'abom_installation_id', 'child_part_inventory_id', 'part_id', 'serial_number',
    'lot_number', 'reference_designator', 'quantity', 'quantity_required'
] %}

lines as (
    select
        *,
        quantity_installed as quantity
    from {{ ref('int_abom_history__lines') }}
    where child_part_inventory_id is not null
),

line_changes as (
    select * from {{ ref('int_abom_history__line_changes') }}
    where change = 'unchanged'
),

-- Lines that continue through the instant, and lines that ION rewrote without a change of content.
unchanged_lines as (
    select
        {% for suffix in ['before', 'after'] %}
            {% for column in columns %}
                lines.{{ column }} as {{ column }}_{{ suffix }},
            {% endfor %}
        {% endfor %}
        lines.parent_part_inventory_id as part_inventory_id,
        lines.abom_generation,
        changed.changed_at
    from changed
    inner join lines
        on
            changed.part_inventory_id = lines.child_part_inventory_id
            and changed.changed_at > lines.valid_from
            and changed.changed_at < lines.valid_until
    union all
    select
        {% for suffix in ['before', 'after'] %}
            {% for column in columns %}
                line_changes.{{ column }}_{{ suffix }},
            {% endfor %}
        {% endfor %}
        line_changes.part_inventory_id,
        line_changes.abom_generation,
        line_changes.changed_at
    from changed
    inner join line_changes
        on
            changed.part_inventory_id = line_changes.child_part_inventory_id_after
            and changed.changed_at = line_changes.changed_at
)

select
    part_inventory_id,
    changed_at,
    'indirect' as change,
    abom_generation,
    cast(null as string) as requirement_after,
    {% for suffix in ['before', 'after'] %}
        {% for column in columns %}
            {{ column }}_{{ suffix }},
        {% endfor %}
    {% endfor %}
    cast(null as {{ type_instant() }}) as ion_changed_at
from unchanged_lines
