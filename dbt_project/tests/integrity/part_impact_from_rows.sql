-- The figures of the part impact analysis add up to ION's rows, and those of each part to its details.
with visible as (
    select parts.id from {{ source('ion', 'parts') }} as parts
),

from_rows as (
    select
        'on_hand' as figure,
        count(*) as record_count
    from {{ source('ion', 'part_inventories') }}
    where status in ('AVAILABLE', 'UNAVAILABLE') and part_id in (select visible.id from visible)
    union all
    select
        'on_runs' as figure,
        count(*) as record_count
    from {{ source('ion', 'runs') }}
    where
        (status is null or status not in ('COMPLETE', 'CANCELED'))
        and part_id in (select visible.id from visible)
    union all
    select
        'kit_items' as figure,
        count(*) as record_count
    from {{ source('ion', 'part_kit_items') }}
    where
        (quantity_fulfilled is null or quantity - quantity_fulfilled > 1e-9 * quantity)
        and quantity > 0
        and part_id in (select visible.id from visible)
),

figures as (
    select
        figure,
        cast(sum(record_count) as bigint) as record_count
    from {{ ref('part_impact') }}
    group by figure
),

details as (
    select
        part_id,
        figure,
        count(*) as record_count_with_earlier,
        coalesce(sum(case when is_in_sum then quantity_open end), 0) as quantity_with_earlier,
        coalesce(sum(case when is_in_sum and record_part_id = part_id then quantity_open end), 0) as quantity
    from {{ ref('part_impact_details') }}
    group by part_id, figure
)

select
    from_rows.figure,
    null as part_id
from from_rows
left join figures on from_rows.figure = figures.figure
where figures.record_count is distinct from from_rows.record_count
union all
select
    details.figure,
    details.part_id
from details
left join {{ ref('part_impact') }} as found on details.part_id = found.part_id and details.figure = found.figure
where
    found.record_count_with_earlier is distinct from details.record_count_with_earlier
    or abs(found.quantity - details.quantity) > 1e-9 * abs(details.quantity)
    or abs(found.quantity_with_earlier - details.quantity_with_earlier) > 1e-9 * abs(details.quantity_with_earlier)
union all
-- The same number of rows for every part, with or without records.
select
    'parts' as figure,
    null as part_id
from (
    select
        (select count(*) from visible) as part_count,
        (select count(*) from {{ ref('part_impact') }}) as row_count
) as counts
where counts.row_count <> 8 * counts.part_count
