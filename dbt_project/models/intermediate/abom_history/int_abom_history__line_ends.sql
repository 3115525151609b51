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

-- Whatever the first load or the unit itself brought did not begin then: it was there when it was first looked at.
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

    -- What ended with its unit is not a change of the unit.
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
)

select
    row_number() over (
        order by ends.parent_part_inventory_id, ends.changed_at, ends.side, ends.line_key
    ) as line_end_id,
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
    ends.created_at,
    ends.updated_at
from ends
left join parts on ends.part_id = parts.part_id
