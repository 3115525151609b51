{{ config(materialized='table') }}

with lines as (
    select * from {{ ref('int_abom_history__lines') }}
),

units as (
    select * from {{ ref('int_abom_history__units') }}
),

parts as (
    select * from {{ ref('parts') }}
),

first_seen as (
    select
        part_inventory_id,
        min(valid_from) as valid_from
    from units
    group by part_inventory_id
),

-- Lines that appear with the first load, or with the unit itself, are not changes: they existed when they were first
-- read.
ends as (
    select
        'began' as side,
        lines.valid_from as changed_at,
        lines.*
    from lines
    inner join first_seen on lines.parent_part_inventory_id = first_seen.part_inventory_id
    where
        lines.valid_from > (select first_load.valid_from from {{ ref('int_loads__first') }} as first_load)
        and lines.valid_from > first_seen.valid_from

    union all

    -- A line that ended together with its unit is not a change of the unit.
    select
        'ended' as side,
        lines.valid_until as changed_at,
        lines.*
    from lines
    inner join units
        on
            lines.parent_part_inventory_id = units.part_inventory_id
            and lines.valid_until >= units.valid_from
            and lines.valid_until < units.valid_until
    where lines.valid_until < {{ end_of_time() }}
),

numbered as (
    select
        *,
        row_number() over (order by parent_part_inventory_id, changed_at, side, line_key) as line_end_id
    from ends
),

-- State of the requirement on the other side of the instant: after it for a line that ended, before it for a line that
-- began.
across as (
    select
        numbered.line_end_id,
        bool_or(lines.child_part_inventory_id is not null) as is_filled
    from numbered
    inner join lines
        on
            numbered.parent_part_inventory_id = lines.parent_part_inventory_id
            and numbered.abom_generation = lines.abom_generation
            and numbered.build_requirement_id = lines.build_requirement_id
            and case numbered.side
                when 'ended' then numbered.changed_at >= lines.valid_from and numbered.changed_at < lines.valid_until
                else numbered.changed_at > lines.valid_from and numbered.changed_at <= lines.valid_until
            end
    group by numbered.line_end_id
)

select
    ends.line_end_id,
    ends.side,
    ends.changed_at,
    ends.parent_part_inventory_id as part_inventory_id,
    ends.abom_generation,
    ends.line_key,
    ends.build_requirement_id,
    ends.abom_installation_id,
    ends.child_part_inventory_id is not null as is_filled,
    ends.child_part_inventory_id,
    ends.part_id,
    case when ends.child_part_inventory_id is null then ends.part_id end as open_part_id,
    parts.revision_family_id,
    ends.serial_number,
    ends.lot_number,
    ends.reference_designator,
    ends.designator_key,
    ends.quantity_installed as quantity,
    ends.quantity_required,
    ends.origin_mbom_item_id,
    ends.required_part_id,
    case when across.is_filled then 'filled' when across.line_end_id is not null then 'open' else 'none' end
        as requirement_across,
    ends.created_at,
    ends.updated_at
from numbered as ends
left join across on ends.line_end_id = across.line_end_id
left join parts on ends.part_id = parts.part_id
