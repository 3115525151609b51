{{ config(materialized='table') }}

-- What there will be of each part, in the unit of the part, as intervals one after another: first what is on hand, then
-- what comes, by date. A date that nobody knows comes last.
with parts as (
    select * from {{ ref('parts') }}
),

quantities as (
    select
        stock.part_id,
        'on_hand' as source_type,
        cast(null as bigint) as source_id,
        sum(stock.quantity_available) as quantity,
        cast(null as {{ type_instant() }}) as coming_at
    from {{ ref('part_inventories') }} as stock
    inner join parts on stock.part_id = parts.part_id
    where
        stock.status = 'AVAILABLE'
        and stock.unit_of_measure is not distinct from parts.unit_of_measure
    group by stock.part_id
    union all
    select
        lines.part_id,
        'purchase_order_line' as source_type,
        lines.purchase_order_line_id as source_id,
        lines.quantity_due - lines.quantity_received as quantity,
        lines.promised_at as coming_at
    from {{ ref('purchase_order_lines') }} as lines
    where lines.is_ordered and not lines.is_closed
    union all
    select
        coalesce(units.part_id, runs.part_id) as part_id,
        'run' as source_type,
        runs.run_id as source_id,
        coalesce(units.quantity, cast(runs.quantity as double)) as quantity,
        runs.due_at as coming_at
    from {{ ref('stg_ion__runs') }} as runs
    inner join {{ ref('int_supply__consumers') }} as consumers
        on consumers.consumer_type = 'run' and runs.run_id = consumers.consumer_id
    left join {{ ref('part_inventories') }} as units on runs.part_inventory_id = units.part_inventory_id
    left join parts on units.part_id = parts.part_id
    -- A run on what is available, installed or scrapped adds nothing.
    where
        runs.part_inventory_id is null
        or (
            units.status in ('WIP', 'UNAVAILABLE')
            and units.unit_of_measure is not distinct from parts.unit_of_measure
        )
),

ranked as (
    select
        *,
        row_number() over (
            partition by part_id
            order by
                case when source_type = 'on_hand' then 0 else 1 end asc,
                coming_at asc nulls last,
                source_type asc,
                source_id asc
        ) as place
    from quantities
    where quantity > 0 and part_id is not null
),

summed as (
    select
        *,
        sum(quantity) over (
            partition by part_id order by place rows between unbounded preceding and current row
        ) as quantity_until
    from ranked
)

select
    *,
    quantity_until - quantity as quantity_from
from summed
