{{ config(materialized='table') }}

with states as (
    select * from {{ ref('int_mbom__in_force') }}
),

lines as (
    select * from {{ ref('int_mbom__moment_lines') }}
),

parts as (
    select * from {{ ref('parts') }}
),

named as (
    select
        mbom_id,
        seen_at,
        mbom_item_id,
        {{ each_of('substitute_part_ids') }} as substitute_part_id
    from lines
),

-- Sorted by id, so that the lists of ids and part numbers correspond.
substitutes as (
    select
        named.mbom_id,
        named.seen_at,
        named.mbom_item_id,
        {{ list_of(
            "coalesce(parts.part_number, 'part ' || cast(named.substitute_part_id as string))", 'named.substitute_part_id'
        ) }} as substitute_part_numbers
    from named
    left join parts on named.substitute_part_id = parts.part_id
    group by named.mbom_id, named.seen_at, named.mbom_item_id
)

select
    states.mbom_id,
    states.state_number,
    states.part_id as parent_part_id,
    states.is_current,
    states.is_in_force,
    lines.mbom_item_id,
    lines.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    parts.tracking_type,
    parts.revision_family_id,
    lines.quantity,
    lines.is_made_on_assembly,
    lines.reference_designators,
    lines.designator_places,
    lines.substitute_part_ids,
    coalesce(substitutes.substitute_part_numbers, {{ empty_list() }}) as substitute_part_numbers,
    row_number() over (
        partition by states.mbom_id, states.state_number
        order by
            parts.part_number asc nulls last,
            {{ natural_key(first_element('lines.reference_designators')) }} asc nulls last,
            lines.mbom_item_id asc
    ) as line_number
from states
inner join lines on states.mbom_id = lines.mbom_id and states.valid_from = lines.seen_at
left join parts on lines.part_id = parts.part_id
left join substitutes
    on
        lines.mbom_id = substitutes.mbom_id
        and lines.seen_at = substitutes.seen_at
        and lines.mbom_item_id = substitutes.mbom_item_id
